"""A running server: world, tick thread, sockets, store and bridge, put together and taken apart again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.frames import CloseCode

from ecumene_agents import Driver, Minds
from ecumene_agents.watchdog import LOOK_TICKS
from ecumene_scenarios.session import Session
from ecumene_server import auth, http, metrics, minding, openworld, status
from ecumene_server.apart import ApartMinds
from ecumene_server.compiler import Compiler
from ecumene_server.connection import Connection
from ecumene_server.errors import FailedError, StoreError
from ecumene_server.freeze import Freezer, Frozen
from ecumene_server.grower import Grower
from ecumene_server.growth import Growth, offer
from ecumene_server.host import Host
from ecumene_server.hub import Hub
from ecumene_server.journal import Journal
from ecumene_server.kept import Kept
from ecumene_server.late import LateMinds
from ecumene_server.live import Live
from ecumene_server.minding import Thoughts, engage, minds_for
from ecumene_server.mqtt import Bridge
from ecumene_server.news import News
from ecumene_server.openworld import Inhabited, Wanted
from ecumene_server.population import fitted
from ecumene_server.recording import Both, LiveRecording
from ecumene_server.records import TickLog
from ecumene_server.recovery import recover
from ecumene_server.renewal import Prepared, Renewal
from ecumene_server.settings import Settings
from ecumene_server.store import Store, open_store
from ecumene_server.surroundings import Opening
from ecumene_server.topics import Broker
from ecumene_server.watch import Watch
from ecumene_server.wayfinding import Wayfinder
from ecumene_world import Layout, SceneGraph
from ecumene_world.assets.humanoid import VARIANTS, humanoid_glb
from ecumene_world.command import Role

SWITCH_S: Final = 0.001
"""How long a thread may keep the interpreter when another wants it: a tick must not wait for a broadcast."""
BACKLOG: Final = 1024
SCENE_PATH: Final = "/scene.glb"
RETRY_S: Final = 5.0
"""Pause after a snapshot that could not be stored."""
GOODBYE_S: Final = 1.0
"""How long connections get to read why they are closed."""


@dataclass(slots=True)
class App:
    """The parts of one server.

    Attributes:
        settings: What it was told.
        kept: What is kept of the world beside the store.
        epoch: Counts server starts of this world.
        session: The world; touched by the tick thread only.
        host: The tick thread.
        hub: Everybody connected.
        store: Where things are kept.
        journal: The log's writer.
        site: What HTTP answers.
        minds: Who decides, None for nobody.
        thinker: Their slow part, None for nobody.
        watch: Turns ticks into news.
        freezer: Copies the world between ticks.
        compiler: Compiles edits.
        renewal: Takes edits up.
        growth: Builds districts.
        wayfinder: Supplies routes.
        recording: Where all ticks are recorded, None for nowhere.
        bridge: The way to an MQTT broker, None for none.
        connections: Every TCP connection.
        stopped: Set when the server must end.
        url: Where it can be opened.
        snapshot_tick: Last tick in the last snapshot.
        snapshot_s: Time that took.
        unsaved: Why the last snapshot could not be stored, None when it was.
        failure: What went wrong beyond repair, None while all is well; `stopped` then is set.
    """

    settings: Settings
    kept: Kept
    epoch: int
    session: Session
    host: Host
    hub: Hub
    store: Store
    journal: Journal
    site: http.Site
    minds: LateMinds | ApartMinds | None
    thinker: Minds | None
    watch: Watch
    freezer: Freezer
    compiler: Compiler
    renewal: Renewal
    growth: Growth
    wayfinder: Wayfinder
    recording: LiveRecording | None = None
    bridge: Bridge | None = None
    connections: set[Connection] = field(default_factory=set)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    snapshot_tick: int = -1
    snapshot_s: float = 0.0
    unsaved: str | None = None
    failure: BaseException | None = None

    @property
    def name(self) -> str:
        """Under which the world is kept."""
        return self.kept.name

    @property
    def saved_tick(self) -> int:
        """The last tick that would come back after a crash now."""
        return max(self.snapshot_tick, self.journal.written_tick)

    @property
    def problem(self) -> str | None:
        """Why not everything is saved, fit for visitors; None while it is."""
        return self.journal.failing or self.unsaved

    async def save(self) -> None:
        """Stores a snapshot of this moment.

        Raises:
            StoreError: It can't be written.
        """
        start = time.perf_counter()
        frozen = await self.host.wonder(self.freezer.freeze)
        body = await asyncio.to_thread(frozen.packed)
        try:
            await self.store.put_snapshot(self.epoch, frozen.tick, body)
        except StoreError as error:
            self.unsaved = error.reason
            raise
        self.unsaved = None
        self.journal.bridge(frozen.tick)
        self.snapshot_tick, self.snapshot_s = frozen.tick, time.perf_counter() - start

    def fail(self, error: BaseException) -> None:
        """Ends the server because of an error that nobody can mend."""
        self.failure = self.failure or error
        self.stopped.set()

    async def show(self, graph: SceneGraph, layout: Layout) -> None:
        """Serves the scene file of a graph that has become the layout, and keeps the layout for the next start."""
        content = await asyncio.to_thread(_scene_file, self.kept, graph, layout.graph_hash)
        self.site.put(SCENE_PATH, content)
        self.hub.scene_changed(_scene_url(content))
        await asyncio.to_thread(self.kept.keep_if_possible, layout)


@asynccontextmanager
async def running(settings: Settings, tell: Callable[[str], None]) -> AsyncIterator[App]:
    """Opens a world and serves it until the context ends; then saves it and says goodbye to everybody.

    Raises:
        UsageError: The settings name no world.
        FailedError: The world can't be opened, or the port is taken.
        StoreError: The database can't be used.
    """
    wanted = openworld.find(settings, tell)
    minding.check(settings)
    sys.setswitchinterval(SWITCH_S)
    async with AsyncExitStack() as stack:
        token = auth.admin_token(openworld.folder(settings) / f"{wanted.name}.admin")
        url = openworld.database_url(settings, wanted.name)
        store = await stack.enter_async_context(open_store(url, wanted.name, admin_token=token))
        kept = Kept(openworld.folder(settings), wanted.name)
        session = await _session(settings, wanted, store, kept, tell)
        app = await _assemble(settings, kept, session, store, tell)
        stack.push_async_callback(_close, app)
        await stack.enter_async_context(_listening(app))
        gc.collect()
        gc.freeze()  # what is there now stays: the collector need not walk it again during ticks
        app.host.start()
        await stack.enter_async_context(_chores(app))
        if app.bridge is not None:
            await stack.enter_async_context(app.bridge.running())
        yield app


async def _session(
    settings: Settings, wanted: Wanted, store: Store, kept: Kept, tell: Callable[[str], None]
) -> Session:
    def scenario() -> Inhabited:
        return Inhabited(wanted.build, wanted.npcs, settings.visitors)

    layout = await asyncio.to_thread(kept.layout)
    recovered = await recover(store, scenario, tell, device=settings.device, layout=layout)
    if recovered is not None:
        tell(f"{wanted.name} goes on at tick {recovered.session.now}, {recovered.replayed} of them replayed.")
        asked = None if settings.npcs < 0 else settings.npcs
        session = fitted(recovered.session, npcs=asked, visitors=settings.visitors)
    else:
        tell(f"Making {wanted.name}.")
        session = await asyncio.to_thread(Session, scenario(), seed=settings.seed, device=settings.device)
    await asyncio.to_thread(kept.keep_if_possible, session.world.layout)
    return session


async def _assemble(settings: Settings, kept: Kept, session: Session, store: Store, tell: Callable[[str], None]) -> App:
    loop = asyncio.get_running_loop()
    epoch = await store.begin_epoch(session.now)
    minds = minds_for(settings, session, tell)
    decider = None if minds is None else engage(minds, session, kept)

    def publish(news: News) -> None:
        loop.call_soon_threadsafe(_published, app, news)

    log, freezer, watch = TickLog(), Freezer(session, minds), Watch(session.world, epoch)
    session.recorder = log
    wayfinder = Wayfinder(session.routes)
    host = Host(session, watch, log, publish, _chore(session, wayfinder, minds))
    session.thoughts = None if minds is None else Thoughts(minds, host.ask, host.submit)
    graph, compiler = freezer.graph(), Compiler(kept)
    if minds is not None and not session.world.stale:
        await asyncio.to_thread(minds.prepare, session.world.layout, graph)
    content = await asyncio.to_thread(_scene_file, kept, graph)
    people = await asyncio.to_thread(_people_files)
    site = http.Site({**http.page_files(), **people, SCENE_PATH: content})
    journal = Journal(store, epoch, lambda tick: app.hub.committed(tick), lambda why: app.hub.unsaved(why))  # noqa: PLW0108
    role = Role[settings.open_as.upper()]
    opening = Opening(watch.place(), watch.people(), epoch, session.now, _scene_url(content), role, settings.keep_chat)
    budget = settings.budget_kb * 1024 // 20
    live = Live(host, session.engine, minds, None if decider is None else decider.lateness)
    makers = Prepared(session, watch, minds)
    renewal = Renewal(host, freezer, makers, compiler, lambda graph, layout: app.show(graph, layout))  # noqa: PLW0108
    growth = Growth(
        host,
        freezer,
        Grower(kept),
        renewal,
        lambda key, message: app.hub.inform(key, message),  # noqa: PLW0108
        lambda answer: app.hub.answer(answer),  # noqa: PLW0108
    )
    hub = Hub(
        live,
        store,
        journal,
        growth,
        opening=opening,
        clock=time.monotonic,
        spawn=_spawner(loop),
        budget_bytes=budget,
    )
    app = App(
        settings=settings,
        kept=kept,
        epoch=epoch,
        session=session,
        host=host,
        hub=hub,
        store=store,
        journal=journal,
        site=site,
        minds=decider,
        thinker=minds,
        watch=watch,
        freezer=freezer,
        compiler=compiler,
        renewal=renewal,
        growth=growth,
        wayfinder=wayfinder,
    )
    if settings.mqtt:
        app.bridge = Bridge(Broker.of(settings.mqtt, settings.mqtt_ca), host, opening.place, opening.people)
    site.put("/healthz", lambda: http.plain(status.health(app)))
    site.put("/districts", lambda: http.plain(offer()))
    site.put("/ticks", lambda: http.plain(host.timings.report()))
    site.put("/metrics", metrics.exposition(lambda: status.readings(app)))
    frozen = freezer.freeze()
    if settings.record:
        app.recording = await asyncio.to_thread(_recording, settings, session, frozen, tell)
        session.recorder = Both(log, app.recording)
    await store.put_snapshot(epoch, frozen.tick, await asyncio.to_thread(frozen.packed))
    app.snapshot_tick = frozen.tick
    return app


def _recording(settings: Settings, session: Session, frozen: Frozen, tell: Callable[[str], None]) -> LiveRecording:
    recording = LiveRecording(Path(settings.record), keep_chat=settings.keep_chat)
    recording.begin(session, frozen)
    tell(f"Everything is recorded in {recording.path}.")
    return recording


def _chore(session: Session, wayfinder: Wayfinder, minds: Minds | None) -> Callable[[], None]:
    """Returns what is done after each tick: routes, unless minds elsewhere see to them, and a look for who is stuck."""
    if minds is not None:
        minds.watchdog.minded = lambda key: session.roster.driver(key) is Driver.MINDS

    def chore() -> None:
        if session.elsewhere is None:
            wayfinder.look_after(session.world.layout)
        if minds is not None and session.now % LOOK_TICKS == LOOK_TICKS // 2:
            minds.watchdog.look(session.now)

    return chore


def _published(app: App, news: News) -> None:
    app.hub.publish(news)
    if app.bridge is not None:
        app.bridge.publish(news)


def _spawner(loop: asyncio.AbstractEventLoop) -> Callable[[Coroutine[Any, Any, None]], None]:
    tasks: set[asyncio.Task[None]] = set()

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        task = loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return spawn


@asynccontextmanager
async def _listening(app: App) -> AsyncIterator[None]:
    settings, loop = app.settings, asyncio.get_running_loop()

    def accept() -> Connection:
        return Connection(app.site, app.hub, app.connections, time.monotonic)

    try:
        server = await loop.create_server(accept, settings.host, settings.port, backlog=BACKLOG)
    except OSError as error:
        raise FailedError(_why_deaf(settings, error)) from error
    port = server.sockets[0].getsockname()[1]
    shown = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host  # noqa: S104
    app.url = f"http://{shown}:{port}"
    try:
        yield
    finally:
        server.close()


def _why_deaf(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {settings.port} of {settings.host} is taken; choose another with --port, or 0 for any free one"
    if error.errno == errno.EACCES:
        return f"port {settings.port} may not be used without more rights; choose one above 1023 with --port"
    return f"{settings.host}:{settings.port} can't be listened on: {error.strerror or error}"


@asynccontextmanager
async def _chores(app: App) -> AsyncIterator[None]:
    """Runs what happens beside the ticks, and watches the tick thread."""
    loop = asyncio.get_running_loop()

    def ended(work: asyncio.Task[None] | Future[None]) -> None:
        error = None if work.cancelled() else work.exception()
        if error is not None:
            loop.call_soon_threadsafe(app.fail, error)

    tasks = [loop.create_task(work(app)) for work in (_seconds, _snapshots, _edits)]
    if app.recording is not None:
        tasks.append(loop.create_task(app.recording.keyframes(app.host, app.freezer)))
    for task in (*tasks, app.journal.task):
        task.add_done_callback(ended)
    app.host.failed.add_done_callback(ended)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _seconds(app: App) -> None:
    """Lets go of whoever is silent, late or lost."""
    while True:
        await asyncio.sleep(1.0)
        app.hub.tick()
        now = time.monotonic()
        for connection in list(app.connections):
            connection.tick(now)


async def _snapshots(app: App) -> None:
    while True:
        await asyncio.sleep(app.settings.snapshot_s if app.problem is None else RETRY_S)
        with contextlib.suppress(StoreError):  # `problem` tells, and the next try comes soon
            await app.save()


async def _edits(app: App) -> None:
    """Takes edits up, beside the ticks."""
    await app.renewal.run()


async def _close(app: App) -> None:
    """Ends ticking, tells everybody, writes what is left.

    Raises:
        FailedError: The world can't be saved.
    """
    await app.growth.close()
    stands = app.hub.stop("The server stops; the world is kept.")
    for connection in list(app.connections):
        connection.close(CloseCode.GOING_AWAY, "the server stops")
    await asyncio.to_thread(app.host.stop)
    if app.recording is not None:
        await asyncio.to_thread(app.recording.close, app.session.world.state if app.failure is None else None)
    await asyncio.to_thread(app.wayfinder.close)
    await asyncio.to_thread(app.compiler.close)
    await asyncio.sleep(0)
    await app.journal.close()
    if app.minds is not None:
        await asyncio.to_thread(app.minds.close)
    try:
        if app.failure is None:
            await app.save()
            await app.store.put_stands(stands)
    except StoreError as error:
        raise FailedError(f"the world is kept only as it was at tick {app.saved_tick}: {error}") from error
    finally:
        await _part(app)


async def _part(app: App) -> None:
    """Gives connections time to read why they are closed, then cuts them."""
    deadline = time.monotonic() + GOODBYE_S
    while app.connections and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    for connection in list(app.connections):
        connection.transport.abort()


def _scene_file(kept: Kept, graph: SceneGraph, graph_hash: str | None = None) -> http.Body:
    return http.body(kept.scene(graph, graph_hash), "model/gltf-binary", cache="no-cache")


def _people_files() -> dict[str, http.Source]:
    """Returns the bodies of people near by, `/humanoid-0.glb` and so on; clients tint them."""
    kind, cache = "model/gltf-binary", "public, max-age=86400"
    return {f"/humanoid-{i}.glb": http.body(humanoid_glb(i), kind, cache=cache) for i in range(VARIANTS)}


def _scene_url(content: http.Body) -> str:
    digest = content.etag.strip('"')
    return f"{SCENE_PATH}?{digest}"
