import Glibc
import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCPTestKit
import Synchronization
import Testing

@testable import RocketTCP

@Suite(.oneAtATime) struct TCPServerListenTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    private func server(
        _ listen: [NetAddress], logger: RocketLogger = .disabled,
        _ change: (inout TCPServerConfiguration) -> Void = { _ in }
    ) -> TCPServer {
        var configuration = TCPServerConfiguration(listen: listen)
        change(&configuration)
        return TCPServer(
            configuration: configuration, mainLoop: driven.loop, subLoops: [], logger: logger
        ) { _ in EchoHandler() }
    }

    private func answers(at address: NetAddress) throws -> Bool {
        let peer = try RawPeer(connectingTo: address)
        driven.settle()
        peer.send([1])
        driven.settle()
        return peer.receive() == .bytes([1])
    }

    private func path(_ name: String) -> NetAddress {
        NetAddress(.unix(path: "/tmp/rocket-tcp-\(CurrentProcess.processID)-\(name)"))
    }

    @Test("Serves several listeners at once")
    func severalListenersServeAtOnce() throws {
        let abstract = NetAddress(.abstract(name: "rocket-tcp-\(CurrentProcess.processID)-several"))
        let path = path("several")
        let server = server([
            .loopback(port: 0), try NetAddress(parsing: "[::1]:0"), path, abstract,
        ])
        let bound = try server.start()
        driven.settle()
        #expect(bound.count == 4)
        #expect(bound[2] == path && bound[3] == abstract)
        for address in bound { #expect(try answers(at: address), "\(address)") }
        server.stop()
        driven.settle()
        #expect(throws: SystemError.self) { try RawPeer(connectingTo: path) }
    }

    @Test("Throws one error for a port in use, and opens no listener")
    func aPortInUseIsOneClearError() throws {
        let first = server([.loopback(port: 0)])
        let address = try #require(try first.start().first)
        let error = #expect(throws: TCPListenError.self) {
            try server([.loopback(port: 0), address]).start()
        }
        #expect(
            error?.description
                == "listen on \(address): bind: EADDRINUSE (Address already in use)")
    }

    @Test("Replaces a stale path only when no process listens")
    func stalePath() throws {
        let path = path("stale")
        do {
            // A bound socket leaves its file when it is closed.
            let dead = try FileDescriptor.streamSocket(for: path.socketAddress)
            try dead.bind(to: path.socketAddress)
        }
        let first = server([path]) { $0.unixMode = 0o660 }
        _ = try first.start()
        driven.settle()
        #expect(try answers(at: path))
        let error = #expect(throws: TCPListenError.self) { try server([path]).start() }
        #expect(error?.cause.errno.isAddressInUse == true)
        #expect(try answers(at: path))
        first.stop()
        driven.settle()
    }

    @Test("Shows IPv4 peers of a dual-stack listener as IPv4")
    func aDualStackListenerShowsIPv4PeersAsIPv4() throws {
        let handler = RecordingConnectionHandler()
        let bound = LoopBound(handler, on: driven.reactor)
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [try NetAddress(parsing: "[::]:0")]),
            mainLoop: driven.loop, subLoops: []
        ) { _ in bound.get() }
        let port = try #require(try server.start().first?.port)
        driven.settle()
        let peer = try RawPeer(connectingTo: .loopback(port: port))
        driven.settle()
        #expect(handler.connection?.peerAddress.host == "127.0.0.1")
        #expect(handler.connection?.localAddress == .loopback(port: port))
        peer.close()
        server.stop()
        driven.settle()
    }

    @Test("Adopts a listening socket")
    func adoptedSocket() throws {
        let socket = try FileDescriptor.streamSocket(for: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.bind(to: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.listen(backlog: 8)
        let raw = socket.release()
        let server = server([]) { $0.adoptedDescriptors = [raw] }
        let address = try #require(try server.start().first)
        driven.settle()
        #expect(try answers(at: address))
        server.stop()
        driven.settle()
    }

    @Test("Adopted sockets are served in place of the configured addresses, which are named")
    func adoptedInPlaceOfConfigured() throws {
        let socket = try FileDescriptor.streamSocket(for: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.bind(to: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.listen(backlog: 8)
        let raw = socket.release()
        let configured = [NetAddress.loopback(port: 1), NetAddress(.unix(path: "/run/x.sock"))]
        let server = server(configured) { $0.adoptedDescriptors = [raw] }
        let bound = try server.start()
        #expect(bound.count == 1)
        server.stop()
        driven.settle()
        let port = try #require(bound.first?.port)
        var configuration = TCPServerConfiguration(listen: configured)
        #expect(configuration.unserved(bound: bound).isEmpty, "none is adopted")
        configuration.adoptedDescriptors = [raw]
        #expect(configuration.unserved(bound: bound) == configured)
        configuration.listen = [.loopback(port: port), .loopback(port: 0)]
        #expect(configuration.unserved(bound: bound).isEmpty)
        #expect(configuration.unserved(bound: []) == configuration.listen)
    }

    @Test("An adopted socket has no TCP_USER_TIMEOUT, which accepted ones would inherit")
    func userTimeoutOfAnAdoptedSocket() throws {
        let socket = try FileDescriptor.streamSocket(for: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.setUserTimeout(.seconds(20))
        try socket.bind(to: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.listen(backlog: 8)
        let raw = socket.release()
        func userTimeout() -> Int32 {
            var milliseconds: Int32 = -1
            var length = socklen_t(MemoryLayout<Int32>.size)
            // SAFETY: fills the number.
            _ = unsafe getsockopt(
                raw, Int32(IPPROTO_TCP), Int32(TCP_USER_TIMEOUT), &milliseconds, &length)
            return milliseconds
        }
        #expect(userTimeout() == 20_000)
        let server = server([]) { $0.adoptedDescriptors = [raw] }
        _ = try server.start()
        #expect(userTimeout() == 0)
        server.stop()
        driven.settle()
    }

    @Test("Keeps the file of an adopted Unix socket")
    func fileOfAnAdoptedSocket() throws {
        let path =
            "/tmp/rocket-adopted-\(CurrentProcess.processID)-\(UInt64.random(in: 0 ... .max)).sock"
        defer { try? SocketFile.remove(path) }
        let socket = try FileDescriptor.streamSocket(for: .unix(path: path))
        try socket.bind(to: .unix(path: path))
        try socket.listen(backlog: 8)
        let raw = socket.release()
        let server = server([]) { $0.adoptedDescriptors = [raw] }
        #expect(try server.start().map(\.description) == ["unix:\(path)"])
        driven.settle()
        server.stop()
        driven.settle()
        #expect(try SocketFile.isSocket(path))
    }

    private func refusal(to adopt: [Int32]) -> String? {
        #expect(throws: TCPListenError.self) {
            try server([]) { $0.adoptedDescriptors = adopt }.start()
        }?.description
    }

    @Test("Says what an adopted descriptor is, unless it listens, and leaves it alone")
    func descriptorThatDoesNotListen() throws {
        let socket = try FileDescriptor.streamSocket(for: .ipv4(bits: 0, port: 0))
        #expect(
            refusal(to: [socket.raw])
                == "listen on descriptor \(socket.raw): it is not a listening TCP or Unix stream "
                + "socket: EINVAL (Invalid argument)")
        _ = try socket.localAddress()
        let file = try FileDescriptor.placeholder()
        #expect(
            refusal(to: [file.raw])
                == "listen on descriptor \(file.raw): it is not a socket: ENOTSOCK (Socket operation "
                + "on non-socket)")
        _ = try file.fileSize()
        for raw in [Int32(-1), 1_000_000] {
            #expect(
                refusal(to: [raw])
                    == "listen on descriptor \(raw): it is not open: EBADF (Bad file descriptor)")
        }
    }

    @Test("Refuses a descriptor that is passed twice")
    func descriptorPassedTwice() throws {
        let socket = try FileDescriptor.streamSocket(for: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.bind(to: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.listen(backlog: 8)
        let raw = socket.release()
        #expect(
            refusal(to: [raw, raw])
                == "listen on descriptor \(raw): it is passed twice: EINVAL (Invalid argument)")
    }

    @Test("Throws an error that says so for a Unix path that is too long")
    func longPath() throws {
        let name = "/tmp/" + String(repeating: "x", count: 103)
        let error = #expect(throws: TCPListenError.self) {
            try server([NetAddress(.unix(path: name))]).start()
        }
        #expect(error?.cause.description == "bind: ENAMETOOLONG (File name too long)")
    }

    @Test("Creates a Unix socket for its own user only, unless configured otherwise")
    func modeOfAUnixSocket() throws {
        for mode: UInt32? in [nil, 0o660, 0o666] {
            let path = path("mode")
            let server = server([path]) { if let mode { $0.unixMode = mode } }
            _ = try server.start()
            #expect(try SocketFile.mode(of: Self.text(path)) == mode ?? 0o600)
            server.stop()
            driven.settle()
        }
    }

    @Test("Starts and stops while another process keeps the folder of its Unix socket locked")
    func folderLockedByOthers() throws {
        let lines = try LogLines()
        let path = path("locked")
        // The lock belongs to an open file, so this is the same as that of another process.
        try SocketFile.withFolderLocked(of: Self.text(path)) {
            let server = server([path], logger: lines.logger)
            let bound = try? server.start()
            driven.settle()
            #expect(bound == [path])
            #expect((try? answers(at: path)) == true)
            server.stop()
            driven.settle()
        }
        #expect(throws: SystemError.self) { try SocketFile.isSocket(Self.text(path)) }
        let line = "the folder of a Unix socket is locked; going on without the lock"
        #expect(lines.end() == [line, line])
    }

    private static func text(_ address: NetAddress) -> String {
        String(address.description.dropFirst("unix:".count))
    }

    @Test("Leaves a Unix socket's path to another server that has taken it over")
    func pathTakenOver() throws {
        let path = path("taken")
        let first = server([path])
        _ = try first.start()
        driven.settle()
        try SocketFile.remove(Self.text(path))
        let second = server([path])
        _ = try second.start()
        driven.settle()
        first.stop()
        driven.settle()
        #expect(try answers(at: path))
        second.stop()
        driven.settle()
        #expect(throws: SystemError.self) { try SocketFile.isSocket(Self.text(path)) }
    }

    @Test("Lets one of two servers that start at the same time take over a stale path")
    func raceForAStalePath() throws {
        let paths = (0..<40).map { path("race-\($0)") }
        for path in paths {
            let dead = try FileDescriptor.streamSocket(for: path.socketAddress)
            try dead.bind(to: path.socketAddress)
        }
        let opened = Locked<[ListeningSocket.Released]>([])
        let arrived = Counter()
        let threads = try (0..<2).map { number in
            try SystemThread(name: "test-race-\(number)") {
                for (round, path) in paths.enumerated() {
                    arrived.add()
                    while arrived.value < 2 * (round + 1) {}
                    let configuration = TCPServerConfiguration(listen: [path])
                    guard let socket = try? ListeningSocket.open(path, configuration) else {
                        continue
                    }
                    let released = socket.release(nil)
                    opened.withLock { $0.append(released) }
                }
            }
        }
        for thread in threads { thread.join() }
        let sockets = opened.withLock { $0 }
        #expect(sockets.count == paths.count)
        for path in paths { _ = try RawPeer(connectingTo: path) }
        for socket in sockets { socket.close() }
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .sequentiallyConsistent) }
        func add() { count.add(1, ordering: .sequentiallyConsistent) }
    }

    @Test("Does not start when its loop has ended, and leaves no listener open")
    func endedLoop() throws {
        let path = path("ended")
        driven.loop.stop()
        driven.loop.run()
        let error = #expect(throws: TCPListenError.self) { try server([path]).start() }
        #expect(error?.address == path.description)
        #expect(throws: SystemError.self) { try SocketFile.isSocket(Self.text(path)) }
    }

    @Test("Returns the credentials of a Unix peer")
    func aUnixPeerShowsItsCredentials() throws {
        let pair = try ConnectedPair(on: driven.reactor)
        guard case .unix(let process) = pair.connection.peerIdentity else {
            Issue.record("\(pair.connection.peerIdentity)")
            return
        }
        #expect(process.processID == CurrentProcess.processID)
    }
}
