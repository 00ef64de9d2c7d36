@_spi(Simulation) import RocketSystem
import RocketTCP

// SAFETY: confined to the world's thread, which `checkCall` checks at each system call.

/// The sockets of a host, and their numbers and ports. Bound to the world's thread.
final class HostKernel: SimulatedNetwork, @unchecked Sendable {
    private unowned let host: Host
    private var sockets: [Int32: SocketEnd] = [:]
    private var listeners: [UInt16: SocketEnd] = [:]
    private var nextPort: UInt16 = 32_768

    init(of host: Host) { self.host = host }

    func makeSocket(for address: SocketAddress) throws(SystemError) -> any SimulatedSocket {
        checkCall()
        // A killed process has its own numbers no more.
        if host.isFreeing { throw SystemError("socket", .tooManyDescriptors) }
        guard case .ipv4 = address else { throw SystemError("socket", .familyNotSupported) }
        let socket = SocketEnd(on: host, number: try freeNumber("socket"))
        opened(socket)
        return socket
    }

    /// A system call begins: the world's thread makes it.
    func checkCall() { host.world.checkThread() }

    /// The lowest number that is free, as POSIX has it.
    func freeNumber(_ operation: String) throws(SystemError) -> Int32 {
        if sockets.count >= host.socketLimits.openSockets {
            throw SystemError(operation, .tooManyDescriptors)
        }
        var number: Int32 = 3
        while sockets[number] != nil { number += 1 }
        return number
    }

    func opened(_ socket: SocketEnd) { sockets[socket.number] = socket }

    func closed(_ socket: SocketEnd) {
        if sockets[socket.number] === socket { sockets[socket.number] = nil }
        if let port = socket.port, listeners[port] === socket { listeners[port] = nil }
    }

    func socket(_ number: Int32) -> SocketEnd? { sockets[number] }

    /// Its open sockets by their numbers.
    var openSockets: [SocketEnd] { sockets.values.sorted { $0.number < $1.number } }

    /// Ends all sockets by `end`, in the order of their numbers.
    func closeAll(by end: (SocketEnd) -> Void) {
        for socket in openSockets { end(socket) }
        sockets = [:]
        listeners = [:]
    }

    func bound(_ address: SocketAddress) throws(SystemError) -> SocketAddress {
        guard case .ipv4(_, let port) = address else {
            throw SystemError("bind", .familyNotSupported)
        }
        guard port == 0 else { return host.address(port: port).socketAddress }
        return ephemeral()
    }

    /// An address of this host with a port that no listener has.
    func ephemeral() -> SocketAddress {
        repeat {
            nextPort = nextPort == .max ? 32_768 : nextPort + 1
        } while listeners[nextPort] != nil
        return host.address(port: nextPort).socketAddress
    }

    func listen(_ socket: SocketEnd, on address: SocketAddress) throws(SystemError) {
        guard case .ipv4(_, let port) = address else {
            throw SystemError("listen", .familyNotSupported)
        }
        if listeners[port] != nil { throw SystemError("listen", .addressInUse) }
        listeners[port] = socket
    }

    func listener(at address: SocketAddress) -> SocketEnd? {
        guard host.isPowered, case .ipv4(_, let port) = address else { return nil }
        return listeners[port]
    }
}
