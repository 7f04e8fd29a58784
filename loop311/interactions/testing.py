"""Builders for tests."""

from __future__ import annotations

from loop311.interactions import services
from loop311.interactions.models import Interaction
from loop311.interactions.policies import Channel
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system


def a_contact(city: Jurisdiction, channel: Channel = Channel.PHONE) -> Interaction:
    return services.begin(city, channel, by=system(city.pk))
