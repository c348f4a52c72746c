"""Worlds from seeds: procedural towns, plazas, apartments and arenas."""
