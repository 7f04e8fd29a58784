"""The concierge's screen: one contact from the first word to the wrap-up, without asking twice."""
