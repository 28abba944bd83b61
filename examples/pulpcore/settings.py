"""Pulp's settings. The folder and the ports are those that services.sh chose."""

import os

WORK = os.environ["PULP_WORK"]

SECRET_KEY = "an example needs no secret"
DB_ENCRYPTION_KEY = WORK + "/key"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "pulp",
        "USER": "pulp",
        # The folder of PostgreSQL's socket: no port is open.
        "HOST": os.environ["PULP_DATABASE"],
    }
}
DEPLOY_ROOT = WORK
MEDIA_ROOT = WORK + "/media"
STATIC_ROOT = WORK + "/static"
WORKING_DIRECTORY = FILE_UPLOAD_TEMP_DIR = WORK + "/tmp"
CONTENT_ORIGIN = "http://" + os.environ["CONTENT"]
# Nothing is sent to Pulp's makers.
ANALYTICS = False
