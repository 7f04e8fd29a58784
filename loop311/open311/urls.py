"""Addresses of GeoReport v2. The ending is what stands after the last dot: codes may hold dots themselves."""

from __future__ import annotations

from django.urls import re_path

from loop311.open311 import inquiry_views, views, webhook_views

app_name = "open311"
_END = r"(?:\.(?P<ending>[A-Za-z]+))?\Z"
urlpatterns = [
    re_path(rf"^(?:v2/)?discovery{_END}", views.discovery, name="discovery"),
    re_path(rf"^v2/services{_END}", views.services, name="services"),
    re_path(r"^v2/services/(?P<code>[^/]+?)" + _END, views.definition, name="definition"),
    re_path(rf"^v2/requests{_END}", views.requests, name="requests"),
    re_path(r"^v2/requests?/(?P<number>[^/]+?)" + _END, views.one, name="request"),
    re_path(r"^v2/tokens/(?P<token>[^/]+?)" + _END, views.token, name="token"),
    re_path(rf"^v2/servicerequestupdates{_END}", views.request_updates, name="updates"),
    re_path(rf"^v2/webhooks{_END}", webhook_views.webhooks, name="webhooks"),
    re_path(r"^v2/webhooks/(?P<webhook>[0-9]{1,18})/delete" + _END, webhook_views.delete, name="webhook_delete"),
    re_path(r"^v2/webhooks/(?P<webhook>[0-9]{1,18})" + _END, webhook_views.webhook, name="webhook"),
    re_path(r"^v2/media/(?P<city>[^/]+)/(?P<number>[^/]+)/(?P<photo>[0-9]{1,18})\.jpg\Z", views.media, name="media"),
    re_path(r"^inquiry/v1/services/(?P<name>[^/]+?)" + _END, inquiry_views.services, name="inquiry_services"),
    re_path(r"^inquiry/v1/facilities/(?P<name>[^/]+?)" + _END, inquiry_views.facilities, name="inquiry_facilities"),
    re_path(r"^inquiry/v1/web_faqs/(?P<name>[^/]+?)" + _END, inquiry_views.web_faqs, name="inquiry_web_faqs"),
    re_path(rf"^inquiry/v1/faqs/(?P<name>web){_END}", inquiry_views.web_faqs, name="inquiry_faqs"),
    re_path(r"^(?P<rest>(?s:.*?))" + _END, views.unknown, name="unknown"),
]
