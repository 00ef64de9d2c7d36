import CAllocationCount
import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import RocketTCPTestKit

// An echo server on RocketTCP, the counterpart of c_echo.c on epoll.
// Usage: BenchEcho FILE          writes its port to FILE, serves until standard input ends
//        BenchEcho allocations   counts heap allocations per echo in steady state, in one thread

/// Sends all input back.
final class Echo: TCPConnectionHandler {
    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        input.withBytes { bytes in connection.write { $0.append(bytes) } }
        input.removeAll()
    }
}

/// Ends the loop when standard input ends.
final class EndOfInput: IOHandler {
    func ready(_ events: IOEvents, on reactor: Reactor) { reactor.loop.stop() }
}

func serve(portFile: String) throws {
    let loop = try EventLoop(name: "echo")
    loop.claim()
    var configuration = TCPServerConfiguration(listen: [.loopback(port: 0)])
    configuration.maxConnections = 19_000
    let server = TCPServer(
        configuration: configuration,
        mainLoop: loop, subLoops: []
    ) { _ in Echo() }
    let input = FileDescriptor(owning: 0)
    _ = try loop.withReactor {
        try $0.register(input, interest: .read, label: "standard input", handler: EndOfInput())
    }
    guard let port = try server.start().first?.port else { return }
    try FileContents.write(Array("\(port)\n".utf8), to: portFile)
    loop.run()
}

/// Counts allocations of `units` echoes of 64 bytes on each of 64 socket pairs, in one thread.
func countAllocations(units: Int) throws {
    let loop = try EventLoop(name: "echo")
    loop.claim()
    let peers = try loop.withReactor { reactor in
        try (0..<64).map { _ in try EchoPair(on: reactor) }
    }
    func round() {
        for peer in peers { peer.send() }
        _ = loop.tick(waitingAtMost: .zero)
        for peer in peers { peer.receive() }
    }
    for _ in 0..<100 { round() }
    let before = allocation_count()
    for _ in 0..<units { round() }
    let allocations = allocation_count() - before
    print("allocations in", units * 64, "echoes:", allocations)
    precondition(allocations == 0, "an echo in steady state allocates nothing")
}

/// A connection that echoes, and the other end of its socket pair.
final class EchoPair {
    private let connection: TCPConnection
    private let far: FileDescriptor

    init(on reactor: Reactor) throws {
        var connection: TCPConnection?
        var far: FileDescriptor?
        try FileDescriptor.socketPair().take { near, other in
            connection = TCPConnection.adopt(near, on: reactor, handler: Echo())
            far = consume other
        }
        guard let connection, let far = far.take() else {
            throw SystemError("pair", .badDescriptor)
        }
        self.connection = connection
        self.far = far
    }

    func send() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 7)
            _ = try? far.send(UnsafeRawBufferPointer(bytes))
        }
    }

    func receive() {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { bytes in
            let got = try? far.receive(into: bytes)
            precondition(got == .done(64), "an echo is missing")
        }
    }
}

switch CommandLine.arguments.dropFirst().first {
case "allocations": try countAllocations(units: 10_000)
case let file?: try serve(portFile: file)
case nil: print("usage: BenchEcho FILE | allocations")
}
