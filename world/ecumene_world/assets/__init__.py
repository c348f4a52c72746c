"""Parametric low-poly meshes of our own: things, buildings, people and a small renderer to look at them."""
