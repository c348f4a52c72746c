"""What is stored, as SQLAlchemy tables; `migrations` creates and changes them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata: Final = MetaData()

worlds: Final = Table(
    "worlds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("created", Float, nullable=False),
)
"""One row a world; times are seconds since 1970."""

epochs: Final = Table(
    "epochs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("world", Integer, ForeignKey("worlds.id"), nullable=False),
    Column("started", Float, nullable=False),
    Column("first_tick", BigInteger, nullable=False),
)
"""One row for each time a server opened the world; the id is the epoch on the wire."""

log: Final = Table(
    "log",
    metadata,
    Column("world", Integer, ForeignKey("worlds.id"), primary_key=True),
    Column("tick", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, ForeignKey("epochs.id"), nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""One row a tick: the commands and decisions that were applied, see `records`."""

snapshots: Final = Table(
    "snapshots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("world", Integer, ForeignKey("worlds.id"), nullable=False),
    Column("epoch", Integer, ForeignKey("epochs.id"), nullable=False),
    Column("tick", BigInteger, nullable=False),
    Column("taken", Float, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_snapshots_world_tick", "world", "tick"),
)
"""Whole worlds after their `tick`; the last few are kept."""

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("role", Integer, nullable=False),
    Column("look", BigInteger, nullable=False),
    Column("created", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("x", Float),
    Column("y", Float),
    Column("z", Float),
    Column("yaw", Float),
    Index("ix_accounts_name", "name"),
)
"""One row a visitor; where its avatar stood last is in metres and radians."""

chat: Final = Table(
    "chat",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("world", Integer, ForeignKey("worlds.id"), nullable=False),
    Column("tick", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    Column("account", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_chat_account", "account"),
)
"""What visitors said; written only by a server that was told to keep chat."""
