"""What `layout.compile_layout` is made of, in the order of its steps."""
