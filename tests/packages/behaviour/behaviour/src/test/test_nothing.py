"""Here so that a wheel can be checked not to carry it; the answers are compared in tests/integration/test_behaviour.py."""
