import RocketBase
import RocketReactor
import RocketSystem
import Synchronization

/// A session with what has arrived for it, on its way to a thread that does the next step of its
/// handshake, and back.
// SAFETY: a connection gives its session away with the step, and takes it back by its loop's queue, or
// abandons it before a thread has begun: one thread at a time uses it.
final class HandshakeStep: @unchecked Sendable {
    private enum State: UInt8, AtomicRepresentable { case waiting, begun, abandoned }

    private let state = Atomic(State.waiting)
    /// Nil: abandoned.
    private(set) var session: (any SecureSession)?
    private var input = ByteBuffer()
    /// What the peer has sent behind its last flight.
    var plaintext = ByteBuffer()
    /// What must be sent to the peer.
    fileprivate(set) var output = ByteBuffer()
    private(set) var failure: TransportSecurityError?

    init(_ session: any SecureSession, _ input: inout ByteBuffer) {
        self.session = session
        swap(&self.input, &input)
    }

    private func leaveWaiting(for next: State) -> Bool {
        state.compareExchange(expected: .waiting, desired: next, ordering: .acquiringAndReleasing)
            .exchanged
    }

    /// Frees the session at once if no thread has begun with it: the queue holds nothing of peers that
    /// have left, and no time is spent on them. On the connection's loop.
    func abandon() {
        guard leaveWaiting(for: .abandoned) else { return }
        session = nil
        input = ByteBuffer()
    }

    func run() {
        guard leaveWaiting(for: .begun), let session else { return }
        do throws(TransportSecurityError) {
            try session.receive(&input, plaintext: &plaintext, output: &output)
        } catch {
            failure = error
        }
    }
}

/// Elements of many peers, who take turns: each gets its first element served before another one gets
/// its second. A value.
struct FairQueue<Element> {
    private var byPeer: [PeerKey: ArraySlice<Element>] = [:]
    /// The peers that have elements, in the order of their turns.
    private var turns: ArraySlice<PeerKey> = []

    mutating func append(_ element: Element, of peer: PeerKey) {
        if byPeer[peer] == nil { turns.append(peer) }
        byPeer[peer, default: []].append(element)
    }

    /// Removes the next element.
    mutating func popNext() -> Element? {
        guard let peer = turns.popFirst(), var elements = byPeer.removeValue(forKey: peer) else {
            return nil
        }
        let element = elements.popFirst()
        if !elements.isEmpty {
            byPeer[peer] = elements
            turns.append(peer)
        }
        return element
    }
}

/// The threads that do the steps of a server's handshakes, so that its loops go on serving
/// meanwhile: a step takes up to a millisecond. Peers take turns, so that one with many handshakes
/// delays another one by one step for each of its own. Any thread.
///
/// An open connection has one step at a time here, so the limits on connections are those of the queue;
/// the steps of connections that have ended are empty.
final class HandshakeThreads: Sendable {
    private struct Job {
        let step: HandshakeStep
        let done: @Sendable (HandshakeStep) -> Void
    }

    private let threads: [IOThread]
    private let queue = Locked(FairQueue<Job>())
    private let nextThread = Atomic(0)

    /// Starts the threads.
    ///
    /// - Parameter count: 1 or more.
    /// - Throws: `SystemError` (EAGAIN: no more threads).
    init(count: Int, name: String) throws(SystemError) {
        var configuration = EventLoopConfiguration()
        configuration.slowCallback = nil
        var threads: [IOThread] = []
        do {
            for index in 0..<count {
                threads.append(
                    try IOThread(name: "\(name)-\(index)", configuration: configuration))
            }
        } catch {
            for thread in threads { thread.stopUnattended() }
            throw error
        }
        self.threads = threads
        for thread in threads {
            // Where loops share a processor with a handshake, they go first. A higher nice value is
            // always permitted.
            thread.loop.execute { _ in try? CurrentThread.setNice(Self.nice) }
        }
    }

    /// A tenth of what a loop gets of a processor that both want all the time.
    private static let nice = 10

    deinit { for thread in threads { thread.stopUnattended() } }

    /// Does a step on one of the threads.
    ///
    /// - Parameter done: called on that thread; on the caller's where no thread takes it.
    func run(
        _ step: HandshakeStep, of peer: NetAddress,
        _ done: @escaping @Sendable (HandshakeStep) -> Void
    ) {
        queue.withLock { $0.append(Job(step: step, done: done), of: PeerKey(peer)) }
        let index = nextThread.wrappingAdd(1, ordering: .relaxed).oldValue
        let thread = threads[Int(index.magnitude % UInt(threads.count))]
        if !thread.loop.execute({ [self] _ in runNext() }) { runNext() }
    }

    private func runNext() {
        guard let job = queue.withLock({ $0.popNext() }) else { return }
        job.step.run()
        job.done(job.step)
    }
}
