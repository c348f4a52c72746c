"""Scenario packs: training tasks, living worlds and scenarios written as YAML."""
