"""Sends deliveries to their target, if who gets them may still read what they tell of. Runs on the loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from semantik.auth.authorization import access_of
from semantik.auth.principal import Principal
from semantik.auth.sealing import Sealer
from semantik.config.settings import Settings
from semantik.core.errors import Conflict
from semantik.core.models import MAIL, Delivery, Webhook, now, rfc3339
from semantik.services.notifications.alerts import AlertService, VisibleAlert
from semantik.services.notifications.content import alert_data
from semantik.services.notifications.mailer import Found, Mailer
from semantik.services.notifications.outcome import Outcome
from semantik.services.notifications.readers import Readers
from semantik.services.notifications.webhook_sender import WebhookSender
from semantik.storage.mongo import Store

_NOT_READABLE = Outcome("dropped", None, "Its collection may not be read any more, or its document is gone.")
_NO_USER = Outcome("dropped", None, "The user is disabled or gone.")


class Dispatch:
    """`send` never raises for a receiver's fault: the outcome says what it was."""

    def __init__(
        self,
        store: Store,
        readers: Readers,
        alerts: AlertService,
        sender: WebhookSender,
        mailer: Mailer,
        sealer: Sealer,
        current: Callable[[], Settings],
    ) -> None:
        self._store = store
        self._readers = readers
        self._alerts = alerts
        self._sender = sender
        self._mailer = mailer
        self._sealer = sealer
        self._current = current

    async def send(self, target: str, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """An outcome for each of the deliveries, which are all for this target. Raises Unavailable (a store)."""
        user_id = deliveries[0].user_id
        reader = (await self._readers.of([user_id])).get(user_id)
        if reader is None:
            return [_NO_USER] * len(deliveries)
        if target.startswith(MAIL):
            return await self._mail(reader, deliveries)
        webhook = await self._store.webhooks.get(target)
        if webhook is None:
            return [Outcome("dropped", None, "The webhook was deleted.")] * len(deliveries)
        if webhook.paused or webhook.disabled:
            reason = webhook.disabled or "The webhook is paused."
            return [Outcome("dropped", None, reason)] * len(deliveries)
        return [await self._post(reader, webhook, each) for each in deliveries]

    async def _post(self, reader: Principal, webhook: Webhook, delivery: Delivery) -> Outcome:
        data = await self._data(reader, delivery)
        if data is None:
            return _NOT_READABLE
        body = {"type": delivery.event, "timestamp": rfc3339(delivery.created_at), "data": data}
        try:
            secrets = [self._sealer.unseal(each) for each in webhook.sealed_secrets(now())]
        except Conflict as error:
            return Outcome("retry", None, str(error))
        encoded = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        outcome = await self._sender.send(webhook.url, secrets, delivery.id, encoded)
        if outcome.result == "gone":
            await self._store.webhooks.update(webhook.id, {"disabled": outcome.error})
        return outcome

    async def _data(self, reader: Principal, delivery: Delivery) -> object:
        """What is told; None where the reader may not know it any more."""
        if delivery.alert_id is not None:
            found = await self._visible(reader, [delivery])
            if not found:
                return None
            [one] = found.values()
            return alert_data(one.alert, one.collection.name, self._current().alerts.public_url)
        if delivery.collection_id is not None:
            collection = await self._store.collections.get(delivery.collection_id)
            if collection is None or access_of(reader, collection) is None:
                return None
        return json.loads(delivery.content)

    async def _mail(self, reader: Principal, deliveries: Sequence[Delivery]) -> list[Outcome]:
        address = reader.user.email
        if not address:
            return [Outcome("dropped", None, "The account has no e-mail address.")] * len(deliveries)
        found = await self._visible(reader, deliveries)
        outcome = _NOT_READABLE
        if found:
            told = [Found(one.alert, one.collection.name) for one in found.values()]
            public_url = self._current().alerts.public_url
            outcome = await self._mailer.send(address, deliveries[0].id, told, public_url)
        return [outcome if each.alert_id in found else _NOT_READABLE for each in deliveries]

    async def _visible(self, reader: Principal, deliveries: Sequence[Delivery]) -> dict[str, VisibleAlert]:
        """The alerts that the deliveries tell of and that the reader may read, by id."""
        alerts = [await self._store.alerts.get(each.alert_id) for each in deliveries if each.alert_id]
        visible = await self._alerts.visible(reader, [each for each in alerts if each is not None])
        return {one.alert.id: one for one in visible}
