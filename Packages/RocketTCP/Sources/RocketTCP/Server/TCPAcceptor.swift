import RocketBase
import RocketReactor
import RocketSystem

/// Receives the sockets that a `TCPAcceptor` accepts. Bound to its loop.
protocol TCPAcceptorDelegate: AnyObject {
    /// Returns false to leave further connections in the kernel until `resume`.
    func mayAccept(_ acceptor: TCPAcceptor) -> Bool
    func accepted(
        _ socket: consuming Socket, peer: NetAddress, security: (any ServerTransportSecurity)?)
    /// Called at the end of each batch of accepted sockets.
    func batchEnded()
}

/// One listener on its loop: accepts connections in bounded batches and passes them to its
/// delegate.
///
/// When descriptors run out it does not spin: one peer is disconnected by means of a descriptor
/// held in reserve, the others wait in the kernel, and accepting resumes after a pause. Bound to
/// its loop.
final class TCPAcceptor: IOHandler {
    private let address: NetAddress
    private let file: ListeningSocket.BoundFile?
    private let socket: Socket
    private let security: (any ServerTransportSecurity)?
    private let batch: Int
    private let logger: RocketLogger
    private unowned let reactor: Reactor
    private weak var delegate: (any TCPAcceptorDelegate)?
    private var registration: Registration?
    /// Closed to accept and disconnect one peer when no descriptor is left.
    private var reserve: FileDescriptor?
    private var pauseTimer: ScheduledTimer?
    private var nextLogAt = MonotonicTime(nanoseconds: 0)

    /// How long accepting pauses when descriptors have run out.
    private static let pause = Duration.milliseconds(100)
    /// At most one log line per kind in this interval.
    static let logInterval = Duration.seconds(10)

    init(
        _ listening: consuming ListeningSocket, security: (any ServerTransportSecurity)? = nil,
        batch: Int, delegate: any TCPAcceptorDelegate, logger: RocketLogger, on reactor: Reactor
    ) throws(SystemError) {
        address = listening.address
        file = listening.file
        socket = listening.socket
        self.security = security
        self.batch = max(1, batch)
        self.delegate = delegate
        self.logger = logger
        self.reactor = reactor
        reserve = try? FileDescriptor.placeholder()
        try register()
    }

    private func register() throws(SystemError) {
        registration = try reactor.register(
            socket, interest: .read, label: "TCPAcceptor", handler: self)
    }

    /// Registers again after a pause: without that, no peer would be accepted any more.
    func registrationFailed(_ error: SystemError, on reactor: Reactor) {
        registration = nil
        pauseAccepting()
    }

    func ready(_ events: IOEvents, on reactor: Reactor) {
        for _ in 0..<batch {
            guard registration != nil, let delegate else { break }
            guard delegate.mayAccept(self) else {
                registration?.setInterest([])
                break
            }
            guard acceptOne(delegate) else { break }
        }
        delegate?.batchEnded()
    }

    /// Accepts one connection. Returns false when none waits, or none can be accepted now.
    private func acceptOne(_ delegate: any TCPAcceptorDelegate) -> Bool {
        do {
            switch try socket.accept() {
            case .accepted(let accepted, let peer):
                delegate.accepted(
                    accepted, peer: NetAddress(peer).unmapped, security: security)
                return true
            case .wouldBlock: return false
            }
        } catch {
            if error.errno.isOutOfDescriptors || error.errno.isOutOfMemory {
                exhausted(error)
                return false
            }
            if error.errno.concernsOneConnection { return true }
            logger.error("accept failed") {
                $0.add("address", self.address)
                $0.add("error", error)
            }
            pauseAccepting()
            return false
        }
    }

    private func exhausted(_ error: SystemError) {
        if reserve.take() != nil, case .accepted? = try? socket.accept() {
            // Closed at once, so that the peer reads the end instead of waiting for its own
            // timeout.
        }
        reserve = try? FileDescriptor.placeholder()
        logExhausted("no descriptor for another connection; accepting pauses", error)
        pauseAccepting()
    }

    private func logExhausted(_ text: StaticString, _ error: SystemError) {
        if reactor.now < nextLogAt { return }
        nextLogAt = reactor.now + Self.logInterval
        logger.error(text) {
            $0.add("address", self.address)
            $0.add("error", error)
        }
    }

    private func pauseAccepting() {
        registration?.setInterest([])
        pauseTimer = reactor.schedule(after: Self.pause, label: "accept again") {
            [weak self] _ in self?.resume()
        }
    }

    /// Resumes accepting.
    func resume() {
        pauseTimer?.cancel()
        pauseTimer = nil
        if delegate == nil { return }
        if reserve == nil { reserve = try? FileDescriptor.placeholder() }
        if let registration { return registration.setInterest(.read) }
        do {
            try register()
        } catch {
            logExhausted("can't watch a listener; accepting pauses", error)
            pauseAccepting()
        }
    }

    /// Stops accepting for good. The socket closes with the acceptor. An adopted socket continues
    /// to listen in the process that created it, and its file remains.
    func close() {
        pauseTimer?.cancel()
        registration?.cancel()
        registration = nil
        reserve = nil
        delegate = nil
        file?.remove()
    }
}
