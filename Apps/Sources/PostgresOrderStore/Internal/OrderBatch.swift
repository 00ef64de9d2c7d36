import OrderStoring
import Postgres

/// The drafts of one transaction, and what became of each. A value.
///
/// A key that is in the batch already is not sent again: its draft has the order of the first one.
struct OrderBatch {
    private enum Draft {
        /// It is sent, as the one with this number, from 1.
        case sent(Int)
        /// It has the key of an earlier one, at this index.
        case repeated(Int)
        case refused(OrderStoreError)
    }

    let drafts: [OrderDraft]
    let createdMilliseconds: Int64
    private var plan: [Draft] = []
    /// The indices of those that are sent.
    private(set) var sent: [Int] = []
    private let keepsKeys: Bool

    /// - Parameters:
    ///   - createdMilliseconds: the time of the transaction.
    ///   - keepsKeys: whether equal keys make one order.
    init(_ drafts: [OrderDraft], createdMilliseconds: Int64, keepsKeys: Bool) {
        self.drafts = drafts
        self.createdMilliseconds = createdMilliseconds
        self.keepsKeys = keepsKeys
        // By their bytes, as the database compares them: equal texts may have different ones.
        var first: [[UInt8]: Int] = [:]
        for (index, draft) in drafts.enumerated() {
            if draft.goods.utf8.contains(0) || draft.idempotencyKey?.utf8.contains(0) == true {
                plan.append(.refused(.failed(reason: "a text with a zero byte can't be stored")))
                continue
            }
            if keepsKeys, let key = draft.idempotencyKey.map({ Array($0.utf8) }) {
                if let earlier = first[key] {
                    plan.append(.repeated(earlier))
                    continue
                }
                first[key] = index
            }
            sent.append(index)
            plan.append(.sent(sent.count))
        }
    }

    /// The parameters of `PostgresSchema.store`.
    func parameters(server: Int64, number: Int64, expiredMilliseconds: Int64) -> PostgresParameters
    {
        var parameters = PostgresParameters()
        parameters.append(server)
        parameters.append(number)
        parameters.append(createdMilliseconds)
        parameters.append(expiredMilliseconds)
        parameters.append(sent.map { drafts[$0].price })
        parameters.append(sent.map { drafts[$0].goods as String? })
        parameters.append(sent.map { keepsKeys ? drafts[$0].idempotencyKey : nil })
        return parameters
    }

    /// What became of the drafts of a transaction that was committed. A value.
    struct Outcome {
        /// In the order of the drafts; nil: its key is known, and its order is not.
        var results: [Result<Order, OrderStoreError>?] = []
        /// The new orders, in the order of their numbers.
        var new: [Order] = []
        /// Drafts that have returned an order with the same key.
        var repeats: UInt64 = 0
    }

    /// - Parameters:
    ///   - before: the sequence number before the first new order.
    ///   - known: the drafts with known keys, by their numbers, from 1; nil: the order is not known.
    func outcome(before: Int64, known: [Int: Order?]) -> Outcome {
        var outcome = Outcome()
        var sequence = before
        for (draft, plan) in zip(drafts, plan) {
            switch plan {
            case .refused(let error): outcome.results.append(.failure(error))
            case .sent(let number):
                if let found = known[number] {
                    outcome.results.append(found.map { outcome.count($0, for: draft) })
                    continue
                }
                sequence &+= 1
                let order = Order(
                    id: OrderID(sequence: sequence, createdMilliseconds: createdMilliseconds),
                    price: draft.price, goods: draft.goods,
                    createdMilliseconds: createdMilliseconds)
                outcome.new.append(order)
                outcome.results.append(.success(order))
            case .repeated(let index):
                switch outcome.results[index] {
                case .success(let order)?:
                    outcome.results.append(outcome.count(order, for: draft))
                case .failure(.keyReused(let id))?:
                    // The key's order is another one than the first draft; it may be this one.
                    guard case .sent(let number) = self.plan[index], let found = known[number],
                        let order = found
                    else {
                        outcome.results.append(.failure(.keyReused(id)))
                        continue
                    }
                    outcome.results.append(outcome.count(order, for: draft))
                case .failure(let error)?: outcome.results.append(.failure(error))
                case nil: outcome.results.append(nil)
                }
            }
        }
        return outcome
    }
}

extension OrderBatch.Outcome {
    /// The result of a draft whose key has an order.
    fileprivate mutating func count(
        _ order: Order, for draft: OrderDraft
    ) -> Result<Order, OrderStoreError> {
        repeats += 1
        return order.isSame(as: draft) ? .success(order) : .failure(.keyReused(order.id))
    }
}
