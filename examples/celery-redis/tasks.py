"""Tasks of a warehouse: 19 statements, of which one cannot run."""

import os

from celery import Celery

app = Celery("tasks", broker=os.environ["BROKER"], backend=os.environ["BROKER"])


@app.task
def reserve(article, amount):
    if amount > 100:
        return split(article, amount)
    return "%d of %s" % (amount, article)


def split(article, amount):
    parcels = []
    while amount > 0:
        parcels.append(reserve(article, min(amount, 100)))
        amount -= 100
    return ", ".join(parcels)


@app.task
def cancel(article):
    if not article:
        raise ValueError("nobody asks for this")
    return "no " + article
