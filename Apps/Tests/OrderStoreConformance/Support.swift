import OrderStoring
import RocketSystem
import Testing

extension OrderStoreHarness {
    /// Opens the store, runs `body`, and closes the store.
    func withStore(
        _ settings: ConformanceSettings = ConformanceSettings(),
        _ body: (any OrderStoring) async throws -> Void
    ) async throws {
        let store = try await open(settings)
        do { try await body(store) } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

extension OrderStoring {
    /// Makes orders one after the other.
    func make(_ count: Int, _ goods: String = "apple") async throws -> [Order] {
        var made: [Order] = []
        for number in 0..<count {
            made.append(try await make(OrderDraft(price: Int32(number), goods: goods)))
        }
        return made
    }

    /// Reads the whole list.
    func list(pageSize: Int = 100) async throws -> [Order] {
        var listed: [Order] = []
        var next: OrderPageToken? = .start
        while let token = next {
            let page = try await orders(from: token, limit: pageSize)
            #expect(page.orders.count <= pageSize)
            listed += page.orders
            next = page.next
        }
        return listed
    }
}

/// Keeps a store from writing: requests wait. It holds the thread that writes.
final class WriteHold: Sendable {
    private let isReleased = FutexWord()
    private let begun = Recorder<Bool>()

    /// Returns when the store does not write any more.
    init(_ store: any OrderStoring) async {
        store.probe { [begun, isReleased] in
            begun.append(true)
            while isReleased.value == 0 { isReleased.wait(while: 0, atMost: nil) }
        }
        await begun.wait(forCount: 1)
    }

    /// Lets it write again.
    func release() {
        isReleased.increment()
        isReleased.wakeAll()
    }
}

/// An object for each connection.
final class Connection: Sendable {
    var id: ObjectIdentifier { ObjectIdentifier(self) }
}

/// A call of a connection of its own, whose pages are on their way until `end`.
final class PageCall: OrderPageCaller {
    private struct State {
        var isCancelled = false
        var pagesRead = 0
        var observers: [@Sendable () -> Void] = []
    }

    private let state = Locked(State())

    var source: ObjectIdentifier? { ObjectIdentifier(self) }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var pagesRead: Int { state.withLock { $0.pagesRead } }

    func onEnd(_ body: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.pagesRead += 1
            state.observers.append(body)
        }
    }

    func cancel() { state.withLock { $0.isCancelled = true } }

    func end() {
        let observers = state.withLock { state in
            defer { state.observers = [] }
            return state.observers
        }
        for observer in observers { observer() }
    }
}

/// Values that several tasks append.
final class Recorder<Value: Sendable>: Sendable {
    private let values = Locked<[Value]>([])

    var all: [Value] { values.withLock { $0 } }

    func append(_ value: Value) { values.withLock { $0.append(value) } }

    /// Yields until there are so many values.
    func wait(forCount count: Int) async { while all.count < count { await Task.yield() } }
}
