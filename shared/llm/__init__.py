"""Language models behind one interface, and the analyst that answers without one."""
