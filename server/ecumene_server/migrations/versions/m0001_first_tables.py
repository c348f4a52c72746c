"""Worlds, epochs, log, snapshots, accounts and chat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the first tables."""
    op.create_table(
        "worlds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "epochs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("world", sa.Integer, sa.ForeignKey("worlds.id"), nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("first_tick", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "log",
        sa.Column("world", sa.Integer, sa.ForeignKey("worlds.id"), primary_key=True),
        sa.Column("tick", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer, sa.ForeignKey("epochs.id"), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("world", sa.Integer, sa.ForeignKey("worlds.id"), nullable=False),
        sa.Column("epoch", sa.Integer, sa.ForeignKey("epochs.id"), nullable=False),
        sa.Column("tick", sa.BigInteger, nullable=False),
        sa.Column("taken", sa.Float, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_snapshots_world_tick", "snapshots", ["world", "tick"])
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.Integer, nullable=False),
        sa.Column("look", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
        sa.Column("x", sa.Float),
        sa.Column("y", sa.Float),
        sa.Column("z", sa.Float),
        sa.Column("yaw", sa.Float),
    )
    op.create_index("ix_accounts_name", "accounts", ["name"])
    op.create_table(
        "chat",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("world", sa.Integer, sa.ForeignKey("worlds.id"), nullable=False),
        sa.Column("tick", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_chat_account", "chat", ["account"])


def downgrade() -> None:
    """Drops every table."""
    for name in ("chat", "accounts", "snapshots", "log", "epochs", "worlds"):
        op.drop_table(name)
