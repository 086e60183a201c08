"""What tokens cost: a small table, which users can override."""

from tracegauge.prices.table import ModelPrice, PriceTable, built_in_prices, load_prices

__all__ = ["ModelPrice", "PriceTable", "built_in_prices", "load_prices"]
