import RocketBase
import RocketReactor
import RocketSystem

/// One listener on its loop: takes waiting connections in bounded batches and hands them on.
///
/// When descriptors run out it does not spin: one peer is turned away with the descriptor held in
/// reserve, the others wait in the kernel, and accepting goes on after a pause. Bound to its loop.
final class TCPAcceptor: IOHandler {
    /// Who takes what was accepted.
    protocol Target: AnyObject {
        /// False: leave further ones in the kernel until `resume`.
        func mayAccept(_ acceptor: TCPAcceptor) -> Bool
        func accepted(_ descriptor: consuming FileDescriptor, peer: NetAddress)
        /// Accepting pauses for now.
        func batchEnded()
    }

    let address: NetAddress
    private let isAdopted: Bool
    private let descriptor: FileDescriptor
    private let batch: Int
    private let logger: RocketLogger
    private unowned let reactor: Reactor
    private weak var target: (any Target)?
    private var registration: Registration?
    /// Given up to turn one peer away when no descriptor is left.
    private var reserve: FileDescriptor?
    private var pauseTimer: ScheduledTimer?
    private var silentUntil = MonotonicTime(nanoseconds: 0)

    /// How long accepting rests when descriptors have run out.
    static let pause = Duration.milliseconds(100)
    /// One log line about that in this time.
    static let silence = Duration.seconds(10)

    init(
        _ socket: consuming ListeningSocket, batch: Int, target: any Target, logger: RocketLogger,
        on reactor: Reactor
    ) throws(SystemError) {
        address = socket.address
        isAdopted = socket.isAdopted
        self.descriptor = socket.descriptor
        self.batch = max(1, batch)
        self.target = target
        self.logger = logger
        self.reactor = reactor
        reserve = try? FileDescriptor.placeholder()
        registration = try reactor.register(
            descriptor, interest: .read, label: "TCPAcceptor", handler: self)
    }

    func ready(_ events: IOEvents, on reactor: Reactor) {
        for _ in 0..<batch {
            guard registration != nil, let target else { break }
            guard target.mayAccept(self) else {
                registration?.setInterest([])
                break
            }
            guard acceptOne(target) else { break }
        }
        target?.batchEnded()
    }

    /// False when none waits, or none can be taken now.
    private func acceptOne(_ target: any Target) -> Bool {
        do {
            switch try descriptor.accept() {
            case .accepted(let accepted, let peer):
                target.accepted(accepted, peer: NetAddress(peer).unmapped)
                return true
            case .wouldBlock: return false
            }
        } catch {
            if error.errno.isOutOfDescriptors || error.errno.isOutOfMemory {
                exhausted(error)
                return false
            }
            if error.errno.concernsOneConnection { return true }
            logger.error("accepting failed") {
                $0.add("address", self.address)
                $0.add("error", error)
            }
            rest()
            return false
        }
    }

    private func exhausted(_ error: SystemError) {
        if reserve.take() != nil, case .accepted? = try? descriptor.accept() {
            // Closed at once: the peer learns now rather than by its own timeout.
        }
        reserve = try? FileDescriptor.placeholder()
        if reactor.now >= silentUntil {
            silentUntil = reactor.now + Self.silence
            logger.error("no descriptor for another connection; accepting pauses") {
                $0.add("address", self.address)
                $0.add("error", error)
            }
        }
        rest()
    }

    private func rest() {
        registration?.setInterest([])
        pauseTimer = reactor.schedule(after: Self.pause, label: "accept again") {
            [weak self] _ in self?.resume()
        }
    }

    /// Takes connections again.
    func resume() {
        pauseTimer?.cancel()
        pauseTimer = nil
        if reserve == nil { reserve = try? FileDescriptor.placeholder() }
        registration?.setInterest(.read)
    }

    /// Takes no more, for good. The socket closes when the acceptor goes; one that was handed over
    /// goes on listening in the hands of whoever made it, and its file stays.
    func close() {
        pauseTimer?.cancel()
        registration?.cancel()
        registration = nil
        reserve = nil
        target = nil
        if !isAdopted, case .unix(let path) = address.socketAddress { try? SocketFile.remove(path) }
    }
}
