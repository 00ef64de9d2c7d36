import RocketBase
import RocketReactor
import RocketSystem
import Synchronization

/// A session with what has arrived for it, on its way to a thread that does the next step of its
/// handshake, and back.
// SAFETY: a connection gives its session away with the step, and takes it back by its loop's queue:
// one thread at a time uses it.
final class HandshakeStep: @unchecked Sendable {
    let session: any SecureSession
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

    func run() {
        do throws(TransportSecurityError) {
            try session.receive(&input, plaintext: &plaintext, output: &output)
        } catch {
            failure = error
        }
    }
}

/// The threads that do the steps of a server's handshakes, so that its loops go on serving
/// meanwhile: a step takes up to a millisecond. Peers take turns, so that one with many handshakes
/// delays another one by one step for each of its own. Any thread.
///
/// A connection has one step at a time here, so the limits on connections are those of the queue.
final class HandshakeThreads: Sendable {
    private struct Job {
        let step: HandshakeStep
        let done: @Sendable (HandshakeStep) -> Void
    }

    private struct Queue {
        var byPeer: [PeerKey: ArraySlice<Job>] = [:]
        /// The peers that have jobs, in the order of their turns.
        var turns: ArraySlice<PeerKey> = []

        mutating func append(_ job: Job, of peer: PeerKey) {
            if byPeer[peer] == nil { turns.append(peer) }
            byPeer[peer, default: []].append(job)
        }

        mutating func next() -> Job? {
            guard let peer = turns.popFirst(), var jobs = byPeer.removeValue(forKey: peer) else {
                return nil
            }
            let job = jobs.popFirst()
            if !jobs.isEmpty {
                byPeer[peer] = jobs
                turns.append(peer)
            }
            return job
        }
    }

    private let threads: [IOThread]
    private let queue = Locked(Queue())
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
    }

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
        guard let job = queue.withLock({ $0.next() }) else { return }
        job.step.run()
        job.done(job.step)
    }
}
