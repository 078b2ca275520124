"""Sample data of a small shop: customers, products, orders and order lines over three years; always the same.

Only `random.Random.random()` is used, whose sequence for a seed is the same in every Python version.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

SCHEMA = "shop"
ORDERS = 50_000
CUSTOMERS = 4_000
FIRST_DAY = dt.date(2022, 1, 1)
DAYS = 3 * 365 + 1  # 2024 is a leap year

DDL = """
CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE shop.customers (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  email VARCHAR(120) NULL,
  city VARCHAR(60) NOT NULL,
  country CHAR(2) NOT NULL,
  joined_on DATE NOT NULL,
  newsletter BIT(1) NOT NULL
);
CREATE TABLE shop.products (
  id SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  category ENUM('tea', 'coffee', 'cups', 'books') NOT NULL,
  unit_price DECIMAL(10,2) NOT NULL,
  weight_kg DOUBLE NULL
);
CREATE TABLE shop.orders (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  customer_id INT UNSIGNED NOT NULL,
  ordered_at DATETIME NOT NULL,
  status ENUM('open', 'shipped', 'delivered', 'returned', 'cancelled') NOT NULL,
  shipped_on DATE NULL,
  note TEXT NULL,
  KEY (ordered_at),
  FOREIGN KEY (customer_id) REFERENCES shop.customers (id)
);
CREATE TABLE shop.order_lines (
  order_id INT UNSIGNED NOT NULL,
  line_no TINYINT UNSIGNED NOT NULL,
  product_id SMALLINT UNSIGNED NOT NULL,
  quantity SMALLINT UNSIGNED NOT NULL,
  unit_price DECIMAL(10,2) NOT NULL,
  discount DECIMAL(4,3) NULL,
  PRIMARY KEY (order_id, line_no),
  FOREIGN KEY (order_id) REFERENCES shop.orders (id),
  FOREIGN KEY (product_id) REFERENCES shop.products (id)
)
"""

_PEOPLE = {
    "JP": (
        ["陽菜", "蓮", "さくら", "大翔", "結衣", "健太"],
        ["佐藤", "鈴木", "高橋", "田中", "渡辺"],
        ["東京", "大阪", "京都"],
    ),
    "FR": (
        ["Zoé", "François", "Hélène", "Chloé", "Jérôme"],
        ["Lefèvre", "Dubois", "Garçon", "Noël"],
        ["Paris", "Orléans"],
    ),
    "DE": (
        ["Jörg", "Käthe", "Lena", "Björn", "Anna"],
        ["Müller", "Groß", "Weiß", "Schäfer"],
        ["Köln", "München", "Berlin"],
    ),
    "US": (["Emma", "Liam", "José", "Olivia", "Noah"], ["O'Brien", "Smith", "García", "Lee"], ["New York", "San José"]),
    "PL": (["Łukasz", "Małgorzata", "Zofia"], ["Wiśniewski", "Dąbrowska", "Żak"], ["Łódź", "Kraków"]),
}
_PRODUCTS = {
    "tea": ["Sencha", "Gyokuro", "Hōjicha", "Earl Grey", "Darjeeling", "Genmaicha", "抹茶 Matcha", "Rooibos"],
    "coffee": ["Ethiopia Yirgacheffe", "Café Crème", "Sumatra", "Decaf", "Cold Brew"],
    "cups": ["Yunomi 湯呑み", "Espresso Cup", "Mug", "Glass Cup", "Chawan", "Travel Mug", "Saucer"],
    "books": ["The Book of Tea", "Le thé en 100 questions", "Kaffee für Anfänger", "Home Roasting"],
}
_NOTES = [
    "gift, please wrap",
    "leave with the neighbour",
    "à laisser chez le gardien",
    "午前中に配達してください",
    "call 'first'\tthen ring",
]

Row = tuple[object, ...]


def tables() -> Iterator[tuple[str, Iterable[Row]]]:
    """Each table's name and rows, in an order that satisfies the foreign keys."""
    chance = random.Random(20220101)  # noqa: S311 - sample data, not a secret
    products = list(_products(chance))
    orders = list(_orders(chance))
    yield "customers", _customers(chance)
    yield "products", products
    yield "orders", orders
    yield "order_lines", _lines(chance, len(orders), products)


def write_tsv(rows: Iterable[Row], path: Path) -> None:
    """Write rows in the default format of LOAD DATA INFILE."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write("\t".join(map(_field, row)) + "\n")


def _field(value: object) -> str:
    if value is None:
        return r"\N"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _pick(chance: random.Random, values: list[str]) -> str:
    return values[int(chance.random() * len(values))]


def _customers(chance: random.Random) -> Iterator[Row]:
    countries = list(_PEOPLE)
    for number in range(1, CUSTOMERS + 1):
        country = _pick(chance, countries)
        given, family, cities = _PEOPLE[country]
        name = (
            f"{_pick(chance, family)} {_pick(chance, given)}"
            if country == "JP"
            else (f"{_pick(chance, given)} {_pick(chance, family)}")
        )
        email = None if chance.random() < 0.12 else f"customer{number}@example.com"
        joined = FIRST_DAY - dt.timedelta(days=int(chance.random() * 1200))
        yield number, name, email, _pick(chance, cities), country, joined, chr(1) if chance.random() < 0.4 else chr(0)


def _products(chance: random.Random) -> Iterator[Row]:
    number = 0
    for category, names in _PRODUCTS.items():
        for name in names:
            number += 1
            price = f"{3 + int(chance.random() * 4000) / 100:.2f}"
            yield number, name, category, price, None if chance.random() < 0.2 else round(chance.random() * 1.5, 3)


def _orders(chance: random.Random) -> Iterator[Row]:
    """Orders in time order: a growing shop, with busy Decembers."""
    moments = sorted(_moment(chance) for _ in range(ORDERS))
    for number, moment in enumerate(moments, 1):
        customer = 1 + int(chance.random() ** 1.6 * CUSTOMERS)
        status = _status(chance)
        shipped = (
            None if status in {"open", "cancelled"} else moment.date() + dt.timedelta(int(1 + chance.random() * 6))
        )
        note = _pick(chance, _NOTES) if chance.random() < 0.06 else None
        yield number, customer, moment, status, shipped, note


def _moment(chance: random.Random) -> dt.datetime:
    while True:
        day = FIRST_DAY + dt.timedelta(days=int(chance.random() ** 0.8 * DAYS))
        if day.month == 12 or chance.random() < 0.6:
            break
    second = int((8 + 14 * (chance.random() + chance.random()) / 2) * 3600)
    return dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=second)


def _status(chance: random.Random) -> str:
    level = chance.random()
    for status, share in (("delivered", 0.86), ("shipped", 0.90), ("returned", 0.95), ("cancelled", 0.98)):
        if level < share:
            return status
    return "open"


def _lines(chance: random.Random, orders: int, products: list[Row]) -> Iterator[Row]:
    for order in range(1, orders + 1):
        for line in range(1, 2 + int(chance.random() ** 2 * 4)):
            product = products[int(chance.random() ** 1.3 * len(products))]
            discount = f"{int(chance.random() * 6) * 0.05:.3f}" if chance.random() < 0.15 else None
            yield order, line, product[0], 1 + int(chance.random() ** 3 * 9), product[3], discount
