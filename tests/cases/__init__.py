"""Troubles that users of screening tools reported in public: each is a small plate that must be right or be refused."""
