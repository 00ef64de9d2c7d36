package import RocketSystem

/// A draft that waits for the writer of a store, with its caller.
package struct WriteRequest: QueuedRequest {
    package let draft: OrderDraft
    package var source: ObjectIdentifier?
    package let caller: CheckedContinuation<Result<Order, OrderStoreError>, Never>

    package init(
        draft: OrderDraft, source: ObjectIdentifier? = nil,
        caller: CheckedContinuation<Result<Order, OrderStoreError>, Never>
    ) {
        self.draft = draft
        self.source = source
        self.caller = caller
    }

    /// A transaction has many orders of one connection.
    package var occupiesSource: Bool { false }
}

extension WaitingQueue<WriteRequest> {
    /// As `take`. Compiled here for this type of items: the compiler specializes no function of another
    /// module, which takes 5,000 instructions an order.
    package func takeOrders(
        upTo limit: Int, into batch: inout [WriteRequest], for worker: any WorkerHandle
    ) -> Outcome { take(upTo: limit, into: &batch, for: worker) }
}

/// A read that waits for a reader of a store, with its caller.
package struct ReadRequest: QueuedRequest {
    package enum Kind: Sendable {
        case find(
            OrderID, waited: @Sendable (Duration) -> Void,
            CheckedContinuation<Result<Order?, OrderStoreError>, Never>)
        case list(
            after: Int64, limit: Int, any OrderPageCaller,
            CheckedContinuation<Result<OrderPage, OrderStoreError>, Never>)
    }

    package let source: ObjectIdentifier?
    package let kind: Kind
    package var waitedForPeer = Duration.zero

    /// One page of a connection is on its way at a time.
    package var occupiesSource: Bool { if case .list = kind { true } else { false } }
}

/// The front of a store: requests wait in two fair queues, from which the store takes them, and their
/// callers suspend. Any thread.
package struct OrderRequests: Sendable {
    package let writes: WaitingQueue<WriteRequest>
    package let reads: WaitingQueue<ReadRequest>
    private let time: any TimeSource
    private let recordBytes: @Sendable (Int) -> Bool
    private let refused: @Sendable () -> Void

    /// - Parameters:
    ///   - time: the clock of the waits for peers.
    ///   - recordBytes: counts the bytes of pages that are read.
    ///   - refused: counts a request that finds the queue full.
    package init(
        writes: WaitingQueue<WriteRequest>, reads: WaitingQueue<ReadRequest>,
        time: any TimeSource, recordBytes: @escaping @Sendable (Int) -> Bool,
        refused: @escaping @Sendable () -> Void
    ) {
        self.writes = writes
        self.reads = reads
        self.time = time
        self.recordBytes = recordBytes
        self.refused = refused
    }

    /// As `OrderStoring.make`.
    package nonisolated(nonsending) func make(
        _ draft: OrderDraft, from source: ObjectIdentifier?
    ) async throws(OrderStoreError) -> Order {
        try await withCheckedContinuation { caller in
            let request = WriteRequest(draft: draft, source: source, caller: caller)
            if let error = error(for: writes.append(request)) {
                caller.resume(returning: .failure(error))
            }
        }.get()
    }

    /// As `OrderStoring.order`.
    package nonisolated(nonsending) func order(
        _ id: OrderID, from source: ObjectIdentifier?,
        waitedForPeer: @escaping @Sendable (Duration) -> Void
    ) async throws(OrderStoreError) -> Order? {
        try await withCheckedContinuation { caller in
            let request = ReadRequest(
                source: source, kind: .find(id, waited: waitedForPeer, caller))
            if let error = error(for: reads.append(request)) {
                caller.resume(returning: .failure(error))
            }
        }.get()
    }

    /// As `OrderStoring.orders`.
    package nonisolated(nonsending) func orders(
        from token: OrderPageToken, limit: Int, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> OrderPage {
        let source = call.source
        let result: Result<OrderPage, OrderStoreError> = await withCheckedContinuation { caller in
            let kind = ReadRequest.Kind.list(
                after: token.after, limit: max(1, limit), call, caller)
            let request = ReadRequest(source: source, kind: kind)
            if let error = error(for: reads.append(request)) {
                caller.resume(returning: .failure(error))
            }
        }
        let page = try result.get()
        let bytes = page.byteCount
        reads.received(bytes: bytes)
        let began = time.monotonic()
        call.onEnd { [reads, time, recordBytes] in
            _ = recordBytes(-bytes)
            reads.release(source, delivering: time.monotonic() - began)
        }
        return page
    }

    /// Returns the position behind an order, which is among the orders of the store or was.
    package nonisolated(nonsending) func position(
        after id: OrderID, among stored: StoredOrders, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> OrderPageToken? {
        let position = OrderPageToken(after: id)
        let before = OrderPageToken(after: id.sequence - 1)
        // Before reading: the order may be stored meanwhile.
        let wasStored = position <= stored.newest
        let page = try await orders(from: before, limit: 1, for: call)
        guard let found = page.orders.first, found.id.sequence == id.sequence else {
            return wasStored ? position : nil
        }
        return found.id == id ? position : nil
    }

    /// Reports to the caller of a read that was taken how long that has waited for its peer, if it has.
    package func reportWait(of request: ReadRequest) {
        if request.waitedForPeer == .zero { return }
        switch request.kind {
        case .find(_, let waited, _): waited(request.waitedForPeer)
        case .list(_, _, let call, _): call.waitedForPeer(request.waitedForPeer)
        }
    }

    /// Resumes the caller of a page with what was read.
    package func finish(
        _ request: ReadRequest, with result: Result<OrderPage, OrderStoreError>
    ) {
        guard case .list(_, _, _, let caller) = request.kind else { return }
        switch result {
        case .success(let page):
            let bytes = page.byteCount
            guard recordBytes(bytes) else { return finish(request, with: .failure(.memoryFull)) }
            reads.hold(bytes: bytes)
            caller.resume(returning: .success(page))
        case .failure(let error):
            reads.release(request.source)
            caller.resume(returning: .failure(error))
        }
    }

    /// Resumes the caller of a read that has failed.
    package func fail(_ request: ReadRequest, _ error: OrderStoreError) {
        switch request.kind {
        case .find(_, _, let caller): caller.resume(returning: .failure(error))
        case .list: finish(request, with: .failure(error))
        }
    }

    private func error<Item>(for admission: WaitingQueue<Item>.Admission) -> OrderStoreError? {
        switch admission {
        case .accepted: return nil
        case .closed: return .closed
        case .full(let waiting):
            refused()
            return .tooManyWaiting(waiting)
        }
    }
}
