"""Topics: what a visitor's words are about, as regular expressions over corrected tokens; the first that fits wins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final


class Topic(Enum):
    """What somebody may talk about with an NPC."""

    FOLLOW = auto()
    STOP = auto()
    COME = auto()
    LEAD = auto()
    GESTURE = auto()
    FAR = auto()
    NATURE = auto()
    REMEMBER = auto()
    FRIENDS = auto()
    LIVE = auto()
    TIME = auto()
    HERE = auto()
    SEE = auto()
    HEAR = auto()
    FEEL = auto()
    DESTINATION = auto()
    DOING = auto()
    WORK = auto()
    IDENTITY = auto()
    PLAN = auto()
    NEAR = auto()
    WELLBEING = auto()
    WHERE = auto()
    READING = auto()
    WHAT_IS = auto()
    HELP = auto()
    THANKS = auto()
    FAREWELL = auto()
    GREETING = auto()
    AGREEMENT = auto()


_PATTERNS: Final = (
    (Topic.STOP, r"(stop|do not|quit) (following|follow)|^(please )?(stop|wait|stay|halt)( here| there)?( please)?$"),
    (Topic.STOP, r"leave me alone|go away|(you can|you may) go|wait (here|there|for me)|stay (here|there)"),
    (Topic.LEAD, r"(take|lead|bring|guide|walk) (me|us)|show (me|us) (the way|to)|(go|come) with me to"),
    (Topic.FOLLOW, r"follow me|(come|walk|go) with (me|us)|come along"),
    (Topic.COME, r"come (here|over|closer|to me)|over here"),
    (Topic.GESTURE, r"(can you|please|will you)?.*\b(wave|dance|cheer|nod|point)\b( for me| please| at me)?$"),
    (Topic.FAR, r"how (far|long|many (metres|meters|minutes|steps))|distance"),
    (Topic.NATURE, r"(are|is) (you|this|it) .*(real|human|alive|robot|bot|ai|machine|computer|simulated|conscious|person)"),
    (Topic.NATURE, r"how do you (work|think|decide)|who (made|built|created|programmed) you"),
    (Topic.REMEMBER, r"(remember|recognise|recognize|know) (me|my name)|have we met|(met|seen) (me )?before"),
    (Topic.REMEMBER, r"(who|whom) (have|did) you (met|meet|talk|talked|see|seen|greet)|what (do you|did you) remember"),
    (Topic.REMEMBER, r"where have you been|where did you go|what (did you|have you) (do|done)( today)?$"),
    (Topic.FRIENDS, r"your friends?|who (do|are) you (know|friends)|do you have (any )?(friends?|family)"),
    (Topic.LIVE, r"where (do|is) (you live|your (home|house|flat|room))|your (home|house|address)$"),
    (Topic.TIME, r"what( is the)? (time|hour|day)|(the )?time is it|how late|is it (late|early|morning|evening|night)|got the time"),
    (Topic.HERE, r"where (am i|are we|are you|is this)( right)?( now)?$|(what|which) (is )?(this )?(place|town|world|building|room)( is this| are we in| is it)?$"),
    (Topic.HERE, r"what is (here|this place|this town|this world)"),
    (Topic.SEE, r"(what|who) (do|can|did) you see|(are )?you looking at|can you see|in front of you|do you see"),
    (Topic.HEAR, r"(do|can|did) you hear|you (hearing|listening)|can you listen"),
    (Topic.FEEL, r"what (do|can|did) you (feel|touch|sense)|you (feeling|touching) (now|right|anything)|touching you|do you feel (it|anything|something|that|this)"),
    (Topic.DESTINATION, r"where (are|do|will) you (going|go|heading|headed|walking|want|off)|what is your (goal|destination)"),
    (Topic.DOING, r"what (are|were) you (doing|up to)|why (are|do|did|is) you|what is your (plan now|intent|intention|reason)|what do you want"),
    (Topic.WORK, r"what do you do( for| here|$)|(your|a) (job|profession|work|trade|occupation|role|living)|do you work|where do you work|you work (as|at|here)"),
    (Topic.PLAN, r"your (plan|plans|day|schedule)|what (will|are) you (do|doing) (later|next|today|tonight|tomorrow)|do next|do you like"),
    (Topic.IDENTITY, r"who are you|your name|what are you( called)?$|(tell me|something) about (you|yourself)|introduce yourself|are you called|call you"),
    (Topic.NEAR, r"who (else )?is (near|here|around|there|close|nearby|with|next|this|that)|(anyone|anybody|someone|people) (else )?(near|here|around|close|nearby|about)|how many (people|visitors|persons)|who is (it|everyone)"),
    (Topic.WELLBEING, r"how (are|is) (you|it|everything|life|things|your day)( doing| feeling| going)?|are you (ok|okay|fine|well|hungry|tired|bored|lonely|happy|sad)|how do you feel|you feeling"),
    (Topic.READING, r"(temperature|humidity|reading|sensor|measure|measured|level of)"),
    (Topic.WHERE, r"where|which way|how (do|can) (i|we) (get|go|reach|find)|(the )?way to|directions?|looking for|is there|are there|nearest|closest|find|search|want to (sit|eat|rest|go)"),
    (Topic.WHAT_IS, r"what is|what are|tell me about|do you know|explain|describe|what about|who is"),
    (Topic.HELP, r"^help|what can (i|you|we)|how does this work|need help|what should i (ask|do)"),
    (Topic.THANKS, r"\b(thanks?|thank you|cheers|thx|appreciate)\b"),
    (Topic.FAREWELL, r"\b(goodbye|bye|farewell|see you|good night|later|take care|gotta go|have to go)\b"),
    (Topic.GREETING, r"\b(hello|hi|hey|hallo|greetings|good (morning|afternoon|evening|day)|welcome|nice to meet you|howdy|moin|hiya)\b"),
    (Topic.AGREEMENT, r"^(yes|no|ok|okay|yeah|yep|nope|sure|fine|maybe|cool|nice|great|good|alright|right|i see)( .{0,12})?$"),
)
_COMPILED: Final = tuple((topic, re.compile(rf"(?:{pattern})")) for topic, pattern in _PATTERNS)

FUNCTION_WORDS: Final = frozenset(
    "a an the is are was were be been am i me my we us our you your he she it they them this that these those there "
    "here where what which who whom whose why how when do does did done can could will would shall should may might "
    "must have has had not no yes of to in on at by for from with without about into over under near and or but if so "
    "then than too very much many more most some any all each go goes going come get got give take make see say tell "
    "know like want need please now today later next last new old good bad big small right left up down out off just "
    "only also again still even ever never one two three else other another same kind sort thing things way as".split()
)
"""Words that never name a place, a thing or a person."""

VOCABULARY: Final = FUNCTION_WORDS | {
    word for _, pattern in _PATTERNS for word in re.findall(r"[a-z]{2,}", re.sub(r"\\b", " ", pattern))
}
"""Words that need no correction."""


def topic_of(words: Sequence[str]) -> Topic | None:
    """Returns what corrected words are about, None when no topic fits."""
    line = " ".join(words)
    return next((topic for topic, pattern in _COMPILED if pattern.search(line)), None)
