"""Tests that the comparisons of outcome.py find what is wrong."""

import unittest

import outcome
from outcome import Call, Row


def made(number, order, **changes):
    """The call with this number, acknowledged with this order's number."""
    values = {"price": "100", "goods": f"goods-{number}", **changes}
    return Call(True, 1000, 5, f"key-{number}",
                ["server", f"20261130{order:010}", values["price"], values["goods"]])


def failed(code, took_ms):
    return Call(False, 1000, took_ms, "key-9", [code, "text"])


class OutcomeTests(unittest.TestCase):
    rows = [Row(4, "100", "goods-1", "key-1"), Row(7, "100", "goods-2", "key-2")]
    calls = [made(1, 4), made(2, 7)]
    listed = [{"order_id": f"20261130{row.sequence:010}", "price": 100, "goods": row.goods}
              for row in rows]

    def test_right(self):
        self.assertEqual(outcome.check_orders(self.calls, self.rows), [])
        self.assertEqual(outcome.check_failures(self.calls), [])
        self.assertEqual(outcome.check_sequence("list", self.listed, self.rows), [])

    def test_missing(self):
        self.assertIn("missing", outcome.check_orders(self.calls, self.rows[1:])[0])

    def test_different(self):
        for row in (Row(4, "101", "goods-1", "key-1"), Row(4, "100", "goods-1", "key-3")):
            reasons = outcome.check_orders(self.calls, [row, self.rows[1]])
            self.assertIn("another content", reasons[0])

    def test_twice(self):
        more = Row(9, "100", "goods-2", "")
        self.assertIn("several orders", outcome.check_orders(self.calls, [*self.rows, more])[0])

    def test_of_no_call(self):
        more = Row(9, "100", "goods-3", "key-3")
        self.assertIn("of no call", outcome.check_orders(self.calls, [*self.rows, more])[0])

    def test_failures(self):
        calls = self.calls * 1000
        self.assertEqual(outcome.check_failures([*calls, failed("UNAVAILABLE", 29_500)]), [])
        for code, took_ms in (("UNAVAILABLE", 100), ("INTERNAL", 30_000)):
            self.assertIn("failed", outcome.check_failures([*calls, failed(code, took_ms)])[0])
        late = [failed("ERROR_RPC_CALL_TIMEOUT", 30_000)] * 11
        self.assertIn("0.5 %", outcome.check_failures([*calls, *late])[0])

    def test_sequence(self):
        first, second = self.listed
        for orders in ([first], [second, first], [first, second, second],
                       [first, {**second, "price": 1}]):
            self.assertEqual(len(outcome.check_sequence("list", orders, self.rows)), 1)
        self.assertEqual(outcome.check_sequence("watch", [second], self.rows, left_out=1), [])

    def test_balance(self):
        self.assertEqual(outcome.check_balance(self.calls, ["server"])[1], [])
        self.assertEqual(len(outcome.check_balance(self.calls, ["server", "other"])[1]), 1)

    def test_gap(self):
        self.assertEqual(outcome.longest_gap([1, 2, 5, 6, 9], 3, 5.5), 3)
        self.assertEqual(outcome.longest_gap([1, 2], 5, 6), 0)


unittest.main()
