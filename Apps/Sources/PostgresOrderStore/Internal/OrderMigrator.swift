import OrderStoring
import Postgres

/// One run of a migration: copies the blocks behind the position, then compares all blocks, and copies
/// those again that differ, because the old store was used between two runs. One task.
struct OrderMigrator<Source: OrderExporting> {
    private let source: Source
    private let target: OrderImport
    private var copied: Int64 = 0

    /// Blocks that are sent before the result of the first one. More than one, so that the database
    /// does not wait for the next one.
    private static var maxSent: Int { 2 }

    init(_ source: Source, _ target: OrderImport) {
        self.source = source
        self.target = target
    }

    mutating func run(
        _ progress: (OrderMigrationProgress) -> Void
    ) async throws(OrderStoreError) -> OrderMigrationReport {
        let newest = try source.newest.map { id throws(OrderStoreError) in
            try source.createdMilliseconds(of: id.sequence)
        }
        guard let state = try await target.begin(source, newestMilliseconds: newest ?? nil) else {
            throw refusal("it has orders, or has had some: use an empty database")
        }
        try check(state)
        if let end = state.end {
            return OrderMigrationReport(
                orders: end.orders, keys: end.keys, copied: 0, checksums: nil,
                endedBefore: end.time)
        }
        try await copy(behind: state.position, progress)
        let totals = try await verify(progress)
        try await target.finish(totals, last: source.lastSequence)
        return OrderMigrationReport(
            orders: totals.orders, keys: totals.keys, copied: copied,
            checksums: OrderMigrationReport.Checksums(
                orders: totals.ordersChecksum, keys: totals.keysChecksum), endedBefore: nil)
    }

    private func refusal(_ reason: String) -> OrderStoreError {
        .cannotCreate(path: "the orders of \(source.path) in \(target.url)", reason: reason)
    }

    /// Compares the store with the one whose migration the database has begun.
    private func check(_ state: OrderImport.State) throws(OrderStoreError) {
        if let newest = state.newest,
            try source.createdMilliseconds(of: newest) != state.newestMilliseconds
        {
            throw refusal(
                (state.end == nil
                    ? "it has a part of another store, of \(state.source)"
                    : "it has the orders of another store, of \(state.source)")
                    + ": use an empty database")
        }
        if let end = state.end, source.lastSequence != end.last {
            throw refusal(
                "the migration has ended at \(end.time), and orders were made in \(source.path) "
                    + "since then, which the database does not have")
        }
    }

    private mutating func copy(
        behind position: Int64, _ progress: (OrderMigrationProgress) -> Void
    ) async throws(OrderStoreError) {
        var done = try source.count(through: position)
        try await forEach(behind: position, target.copy) { run, block, _ in
            run.copied += Int64(block.orders.count)
            done += Int64(block.orders.count)
            progress(OrderMigrationProgress(.copied, orders: done, of: run.source.orders))
        }
    }

    /// Sends each block behind a number by `send`, the next ones while it is executed, and calls `body`
    /// with what that has returned, in their order. What was sent has ended also after an error.
    private mutating func forEach<Value>(
        behind position: Int64, _ send: (OrderBlock) -> PostgresReply<Value>,
        _ body: (inout Self, OrderBlock, Value) async throws(OrderStoreError) -> Void
    ) async throws(OrderStoreError) {
        var sent: [(block: OrderBlock, reply: PostgresReply<Value>)] = []
        var next: Int64? = position
        do throws(OrderStoreError) {
            while next != nil || !sent.isEmpty {
                if let after = next, sent.count < Self.maxSent {
                    let block = try readable(source.block(after: after))
                    sent.append((block, send(block)))
                    next = block.next
                    continue
                }
                let (block, reply) = sent.removeFirst()
                try await body(&self, block, try await target.checked(reply))
            }
        } catch {
            for (_, reply) in sent { _ = try? await reply.value() }
            throw error
        }
    }

    /// - Returns: what both stores have.
    private mutating func verify(
        _ progress: (OrderMigrationProgress) -> Void
    ) async throws(OrderStoreError) -> OrderTotals {
        var (ours, theirs) = (OrderTotals(), OrderTotals())
        try await forEach(behind: 0, target.read) { run, block, copy throws(OrderStoreError) in
            ours.add(block)
            theirs.add(try await run.equal(block, copy))
            progress(OrderMigrationProgress(.verified, orders: ours.orders, of: run.source.orders))
        }
        guard ours == theirs, ours.orders == source.orders else {
            throw .damaged(
                path: source.path,
                reason:
                    "it has \(source.orders) orders, and \(ours.orders) of them can be read, and "
                    + "\(theirs.orders) were copied")
        }
        return theirs
    }

    /// Returns what the database has of a block, which is the same; copies it again if it was not.
    private mutating func equal(
        _ block: OrderBlock, _ copy: OrderBlock?
    ) async throws(OrderStoreError) -> OrderBlock {
        let totals = OrderTotals(block)
        if let copy, OrderTotals(copy) == totals { return copy }
        try await target.checked(target.copy(block))
        copied += Int64(block.orders.count)
        if let copy = try await target.checked(target.read(block)), OrderTotals(copy) == totals {
            return copy
        }
        throw .damaged(
            path: target.url.description,
            reason: "the orders behind number \(block.after), or their keys, are not those of "
                + "\(source.path) although they were copied twice")
    }

    /// Checks that PostgreSQL can store the texts of a block.
    private func readable(_ block: OrderBlock) throws(OrderStoreError) -> OrderBlock {
        let order = block.orders.first { $0.goods.utf8.contains(0) }?.id.sequence
        let key = block.idempotencyKeys.first { $0.key.utf8.contains(0) }?.sequence
        guard let sequence = order ?? key else { return block }
        throw .damaged(
            path: source.path,
            reason: "the goods, or the key, of the order with the sequence number \(sequence) have "
                + "a zero byte, which PostgreSQL can't store: change them (sqlite3 \(source.path))")
    }
}

extension OrderBlock {
    /// Where the next block begins; nil: this is the last one.
    fileprivate var next: Int64? { through == .max ? nil : through }
}
