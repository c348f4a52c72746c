"""Topics: what a visitor's words are about, as regular expressions over corrected tokens; the first that fits wins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final


class Topic(Enum):
    """What somebody may talk about with an NPC, in the order in which topics are tried."""

    STOP = auto()
    LEAD = auto()
    FOLLOW = auto()
    COME = auto()
    GESTURE = auto()
    FAR = auto()
    NATURE = auto()
    MEMORY = auto()
    FRIENDS = auto()
    LIKES = auto()
    LIVE = auto()
    TIME = auto()
    HERE = auto()
    SEE = auto()
    HEAR = auto()
    FEEL = auto()
    DESTINATION = auto()
    PLAN = auto()
    DOING = auto()
    WORK = auto()
    IDENTITY = auto()
    NEAR = auto()
    WELLBEING = auto()
    READING = auto()
    WHERE = auto()
    WHAT_IS = auto()
    HELP = auto()
    THANKS = auto()
    FAREWELL = auto()
    GREETING = auto()
    AGREEMENT = auto()


_PATTERNS: Final[Mapping[Topic, tuple[str, ...]]] = {
    Topic.STOP: (
        "(stop|do not|quit) (following|follow)",
        "^(please )?(stop|wait|stay|halt)( here| there| please)*$",
        "leave me alone|go away|(you can|you may) (go|leave)",
        "(wait|stay) (here|there|for me)",
    ),
    Topic.LEAD: (
        "(take|lead|bring|guide|walk) (me|us)",
        "show (me|us) (the way|to)",
        "(go|come|walk) with (me|us) to",
    ),
    Topic.FOLLOW: ("follow (me|us)", "(come|walk|go) with (me|us)", "come along"),
    Topic.COME: ("come (here|over|closer|to me)", "^over here"),
    Topic.GESTURE: (r"(wave|dance|cheer|nod|point)( for me| please| at me| to me| your hand)*$",),
    Topic.FAR: ("how (far|long)", "how many (metres|meters|minutes|steps)", "distance"),
    Topic.NATURE: (
        "(are|is) (you|this|it) .*(real|human|alive|robot|bot|ai|machine|computer|simulated|conscious|person)",
        "how do you (work|think|decide)",
        "who (made|built|created|programmed) you",
    ),
    Topic.MEMORY: (
        "(remember|recognise|recognize|know) (me|my name)",
        "have we met|(met|seen) (me )?before|who am i",
        "(who|whom) (have|did) you (met|meet|talk|talked|see|seen|greet)",
        "what (do|did|can) you remember",
        "where (have you been|did you go|were you)",
        "what (did you|have you) (do|done)( today)?$",
    ),
    Topic.FRIENDS: ("your friends?", "who (do you know|are you friends)", "do you have (any )?(friends?|family)"),
    Topic.LIKES: ("(do|what do) you (like|love|enjoy)", "favou?rite place"),
    Topic.LIVE: ("where (do|did) you live", "(where is )?your (home|house|flat|room|address)$"),
    Topic.TIME: (
        "what( is the)? (time|hour|day)",
        "(the )?time is it|got the time",
        "how (late|early)|is it (late|early|morning|evening|night)",
    ),
    Topic.HERE: (
        "where (am i|are we|are you|is this)( right| exactly)?( now)?$",
        "(what|which) (kind of )?(is )?(this )?(place|town|world|building|room)( is this| are we in| is it| called)*$",
        "what is (here|this place|this town|this world)",
        "i am lost",
    ),
    Topic.SEE: (
        "(what|who) (do|can|did) you see",
        "you (looking|look) at",
        "in front of you",
        "(can|do) you see",
        "what is (over )?there",
    ),
    Topic.HEAR: ("(do|can|did) you hear", "you (hearing|listening)", "can you listen"),
    Topic.FEEL: (
        "what (do|can|did) you (feel|touch|sense)",
        "you (feeling|touching) (now|right|anything|something)",
        "touching you",
        "do you feel (it|anything|something|that|this)",
    ),
    Topic.DESTINATION: (
        "where (are|do|will) you (going|go|heading|headed|walking|want|off)",
        "your (goal|destination)",
    ),
    Topic.DOING: (
        "what (are|were) you (doing|up to)",
        "why (are|do|did|is) you",
        "your (intent|intention|reason)",
        "what do you want",
    ),
    Topic.WORK: (
        "what do you do( for| here|$)",
        "your (job|profession|work|trade|occupation|role)|(a|for a) living",
        "(do|where do|where are) you (work|working)",
        "you work (as|at|here|for)",
    ),
    Topic.PLAN: (
        "your (plan|plans|day|schedule)",
        "what (will|are) you (do|doing) (later|next|today|tonight|tomorrow)",
        "(what|where) next|do next",
    ),
    Topic.IDENTITY: (
        "who are you|your name|you called|call you|introduce yourself",
        "what are you$",
        "(tell me|something) about (you|yourself)",
    ),
    Topic.NEAR: (
        "who (else )?is (near|here|around|there|close|nearby|with|next|this|that)",
        "(anyone|anybody|someone|people) (else )?(near|here|around|close|nearby|about)",
        "how many (people|visitors|persons)",
    ),
    Topic.WELLBEING: (
        "how (are|is) (you|it|everything|life|things|your day)",
        "are you (ok|okay|fine|well|hungry|tired|bored|lonely|happy|sad)",
        "how do you feel|you feeling",
    ),
    Topic.READING: ("temperature|humidity|readings?|sensors?|measured?|level of",),
    Topic.WHERE: (
        "where|which way|(the )?way to|directions?|looking for|nearest|closest|find|search",
        "how (do|can) (i|we) (get|go|reach|find)",
        "(is|are) there|want to (sit|eat|rest|go|drink|buy)|i need|i am (hungry|thirsty|tired)",
    ),
    Topic.WHAT_IS: ("what (is|are|about)|who is|tell me about|do you know|explain|describe",),
    Topic.HELP: ("^help|need help|what can (i|you|we)|how does this work|what should i (ask|do)",),
    Topic.THANKS: ("(thanks?|thank you|cheers|thx|appreciate)$", "^(many )?thanks?", "thank you"),
    Topic.FAREWELL: ("(goodbye|bye|farewell|see you|good night|later|take care|gotta go|have to go)$", "^(good)?bye"),
    Topic.GREETING: (
        r"(hello|hi|hey|hallo|greetings|good (morning|afternoon|evening|day)|welcome|howdy|moin|hiya)\b",
        "nice to meet you",
    ),
    Topic.AGREEMENT: ("^(yes|no|ok|okay|yeah|yep|nope|sure|fine|maybe|cool|nice|great|good|alright|right|i see)$",),
}
_COMPILED: Final = tuple(
    (topic, re.compile("|".join(rf"(?:\b(?:{pattern}))" for pattern in _PATTERNS[topic]))) for topic in Topic
)

_LITTLE_WORDS: Final = """
a an the is are was were be been am i me my we us our you your he she it they them this that these those there here
where what which who whom whose why how when do does did done can could will would shall should may might must have has
had not no yes of to in on at by for from with without about into over under near and or but if so then than too very
much many more most some any all each go goes going come get got give take make see say tell know like want need please
now today later next last new old good bad big small right left up down out off just only also again still even ever
never one two three else other another same kind sort thing things way as let nice meet back call called
"""
FUNCTION_WORDS: Final = frozenset(_LITTLE_WORDS.split())
"""Words that never name a place, a thing or a person."""

VOCABULARY: Final = FUNCTION_WORDS | {
    word
    for patterns in _PATTERNS.values()
    for pattern in patterns
    for word in re.findall(r"[a-z]{2,}", pattern.replace(r"\b", " "))
}
"""Words that need no correction."""


def topic_of(words: Sequence[str]) -> Topic | None:
    """Returns what corrected words are about, None when no topic fits."""
    line = " ".join(words)
    return next((topic for topic, pattern in _COMPILED if pattern.search(line)), None)
