from celery import shared_task

from orders.models import Order


@shared_task
def settle_order(number: int) -> None:
    Order.objects.filter(pk=number).update(total=0)
