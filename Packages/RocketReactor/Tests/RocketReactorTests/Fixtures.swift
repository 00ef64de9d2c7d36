import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Synchronization

/// One end of a socket pair that is registered on a loop, and the other end, to make it ready.
final class Endpoint: IOHandler {
    var near: FileDescriptor?
    var far: FileDescriptor?
    var registration: Registration?
    var events: [IOEvents] = []
    var failures: [SystemError] = []
    var onReady: (Endpoint, Reactor) -> Void

    init(
        on reactor: Reactor, interest: IOInterest = .read,
        _ onReady: @escaping (Endpoint, Reactor) -> Void = { _, _ in }
    ) throws {
        self.onReady = onReady
        try FileDescriptor.socketPair().take { near, far in
            self.near = consume near
            self.far = consume far
        }
        try register(on: reactor, interest: interest)
    }

    var number: Int32 { near?.raw ?? -1 }

    func register(on reactor: Reactor, interest: IOInterest = .read) throws {
        registration = try near?.register(on: reactor, interest, self)
    }

    func ready(_ events: IOEvents, on reactor: Reactor) {
        self.events.append(events)
        onReady(self, reactor)
    }

    func registrationFailed(_ error: SystemError, on reactor: Reactor) { failures.append(error) }

    /// The far end sends one byte.
    func poke() {
        _ = [UInt8(1)].withUnsafeBytes { try? far?.sendBytes($0) }
    }

    func read() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) {
            near?.receiveBytes($0)
        }
    }

    func cancelAndClose() {
        registration?.cancel()
        registration = nil
        near = nil
    }
}

extension FileDescriptor {
    borrowing func register(
        on reactor: Reactor, _ interest: IOInterest, _ handler: any IOHandler
    ) throws -> Registration {
        try reactor.register(self, interest: interest, label: "test", handler: handler)
    }

    borrowing func sendBytes(_ bytes: UnsafeRawBufferPointer) throws { _ = try send(bytes) }

    borrowing func receiveBytes(_ bytes: UnsafeMutableRawBufferPointer) {
        _ = try? receive(into: bytes)
    }
}

/// Counts the errors in the log.
final class ErrorLines: LogSink, Sendable {
    let count = Counter()
    let lostLines: UInt64 = 0
    func write(_ event: borrowing LogEvent) { if event.level == .error { count.add(1) } }
    func endBatch() -> LogSinkNotice? { nil }
}

/// Lines in the order in which they were recorded, for tests on one thread.
final class EventLog: @unchecked Sendable {
    var lines: [String] = []
    func record(_ line: String) { lines.append(line) }
}

/// A counter for any thread.
final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    @discardableResult
    func add(_ number: Int) -> Int {
        count.add(number, ordering: .sequentiallyConsistent).newValue
    }
}

/// A value behind a lock. Any thread.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Locked<Value>
    init(_ value: Value) { mutex = Locked(value) }
    func withLock<R: Sendable>(_ body: (inout Value) -> R) -> R {
        mutex.withLock { value in body(&value) }
    }
}
