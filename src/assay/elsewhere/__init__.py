"""Workers that others run, on other machines: started and ended by commands, heard through what both sides reach."""
