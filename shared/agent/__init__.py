"""The assistant: gathers facts with tools, lets a model write from them, and checks what it wrote."""
