"""What the end-of-turn model is trained and measured on, and how (`python -m train turns`)."""
