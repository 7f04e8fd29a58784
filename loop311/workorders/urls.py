"""Where departments' systems call."""

from __future__ import annotations

from django.urls import path

from loop311.workorders import views

app_name = "workorders"
urlpatterns = [path("<slug:address>/", views.called, name="called")]
