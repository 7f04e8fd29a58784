"""What the web server runs."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from loop311.kit.logs import speak
from loop311.kit.processes import die_with_parent

die_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loop311.site.settings")
application = get_wsgi_application()
speak()
