import OrderStoring
import Testing

@testable import PostgresOrderStore

/// The drafts of a transaction and their results, without a server.
struct OrderBatchTests {
    private func draft(_ price: Int32, _ key: String? = nil, goods: String = "apple") -> OrderDraft
    {
        OrderDraft(price: price, goods: goods, idempotencyKey: key)
    }

    private func order(_ sequence: Int64, _ price: Int32, created: Int64 = 5) -> Order {
        Order(
            id: OrderID(sequence: sequence, createdMilliseconds: created), price: price,
            goods: "apple", createdMilliseconds: created)
    }

    private func batch(_ drafts: [OrderDraft], keepsKeys: Bool = true) -> OrderBatch {
        OrderBatch(drafts, createdMilliseconds: 5, keepsKeys: keepsKeys)
    }

    @Test("New orders have the numbers behind the last one, in their order")
    func new() {
        let outcome = batch([draft(1), draft(2, "k"), draft(3)]).outcome(before: 7, known: [:])
        #expect(outcome.new == [order(8, 1), order(9, 2), order(10, 3)])
        #expect(outcome.results == outcome.new.map { .success($0) })
        #expect(outcome.repeats == 0)
    }

    @Test("Keys and goods are compared by their bytes, not as equal texts")
    func bytes() {
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        let two = batch([draft(1, composed), draft(1, decomposed)])
        #expect(two.sent == [0, 1])
        let reused = batch([draft(1, "k", goods: composed), draft(1, "k", goods: decomposed)])
            .outcome(before: 7, known: [:])
        #expect(reused.new.count == 1)
        #expect(reused.results[1] == .failure(.keyReused(reused.new[0].id)))
    }

    @Test("A known key takes no number, and has its order or is refused")
    func known() {
        let batch = batch([draft(1, "a"), draft(2), draft(3, "b"), draft(4)])
        let (a, b) = (order(1, 1, created: 1), order(2, 30, created: 1))
        let outcome = batch.outcome(before: 7, known: [1: a, 3: b])
        #expect(outcome.new == [order(8, 2), order(9, 4)])
        #expect(
            outcome.results == [
                .success(a), .success(order(8, 2)), .failure(.keyReused(b.id)),
                .success(order(9, 4)),
            ])
        #expect(outcome.repeats == 2)
    }

    @Test(
        "A key that is in the batch twice is sent once, and each draft is compared with its order")
    func twice() {
        let batch = batch([draft(1, "k"), draft(1, "k"), draft(2, "k")])
        #expect(batch.sent == [0])
        let outcome = batch.outcome(before: 0, known: [:])
        let made = order(1, 1)
        #expect(outcome.new == [made])
        #expect(outcome.results == [.success(made), .success(made), .failure(.keyReused(made.id))])
    }

    @Test("A later draft can be the one that a known key belongs to")
    func laterIsKnown() {
        let old = order(3, 2, created: 1)
        let outcome = batch([draft(1, "k"), draft(2, "k")]).outcome(before: 9, known: [1: old])
        #expect(outcome.results == [.failure(.keyReused(old.id)), .success(old)])
        #expect(outcome.new == [])
    }

    @Test("A known key whose order is not known has no result yet, and neither have its repeats")
    func unknown() {
        let batch = batch([draft(1, "k"), draft(2), draft(1, "k")])
        let outcome = batch.outcome(before: 7, known: [1: nil])
        #expect(outcome.results == [nil, .success(order(8, 2)), nil])
        #expect(outcome.new == [order(8, 2)])
    }

    @Test("Without a retention equal keys are different orders")
    func withoutKeys() {
        let outcome = batch([draft(1, "k"), draft(1, "k")], keepsKeys: false)
            .outcome(before: 0, known: [:])
        #expect(outcome.new.count == 2)
    }

    @Test("A text that the database can't have fails alone")
    func zeroByte() {
        let batch = batch([draft(1, goods: "a\0"), draft(2), draft(3, "k\0")])
        #expect(batch.sent == [1])
        let outcome = batch.outcome(before: 0, known: [:])
        #expect(outcome.new == [order(1, 2)])
        let refused = outcome.results.filter {
            if case .failure(.failed)? = $0 { true } else { false }
        }
        #expect(refused.count == 2)
    }
}
