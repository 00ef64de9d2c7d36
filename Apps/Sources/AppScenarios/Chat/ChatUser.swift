import RocketReactor
import RocketSimulation
import RocketSystem
import RocketTCP

/// A client of the chat that a user drives. Bound to the loop of its host.
protocol ChatPeer: AnyObject {
    /// It has no connection, and will have none.
    var hasEnded: Bool { get }
    /// Does the next thing.
    ///
    /// - Parameter isBusy: false: sends one short message, and reads.
    func act(isBusy: Bool, using random: inout SeededGenerator)
    /// Ends it, in one way or another.
    func stop(using random: inout SeededGenerator)
}

/// One user of the chat: starts a client, drives it, stops it, and starts the next one, until its
/// task is cancelled. A value.
struct ChatUser: Sendable {
    enum Client: Sendable { case real, raw }

    let number: Int
    let host: Host
    /// The loop of the present process of the host.
    let loop: EventLoop
    let server: NetAddress
    let history: ChatHistory
    let client: Client
    /// The limit of the server.
    let maxMessageBytes: Int
    let hasSlowLink: Bool
    /// When it sends a file, if it ever does.
    let fileAt: Duration?
    /// Until then it does what it likes.
    let busyUntil: Duration
    let seed: UInt64

    private var isBusy: Bool { host.world.elapsed < busyUntil }

    func run() async {
        var random = SeededGenerator(seed: seed)
        while !Task.isCancelled { await useOneClient(&random) }
    }

    private func useOneClient(_ random: inout SeededGenerator) async {
        let peer = await start(&random)
        let patience = random.duration(in: .seconds(1)...(.seconds(30)))
        let end = host.world.elapsed + patience
        do {
            while !peer.get().hasEnded, !isBusy || host.world.elapsed < end {
                let most = isBusy ? Duration.milliseconds(400) : .seconds(2)
                try await host.sleep(for: random.duration(in: .milliseconds(10)...most))
                peer.get().act(isBusy: isBusy, using: &random)
            }
        } catch {
            // It is cancelled: the last client ends below.
        }
        peer.get().stop(using: &random)
        try? await host.sleep(for: random.duration(in: .milliseconds(1)...(.seconds(2))))
    }

    private func start(_ random: inout SeededGenerator) async -> LoopBound<any ChatPeer> {
        let seed = random.next()
        return await withCheckedContinuation { continuation in
            loop.execute { reactor in
                var random = SeededGenerator(seed: seed)
                let peer: any ChatPeer =
                    switch client {
                    case .real: RealChatPeer(self, on: reactor, using: &random)
                    case .raw: RawChatPeer(self, on: reactor, using: &random)
                    }
                continuation.resume(returning: LoopBound(peer, on: reactor))
            }
        }
    }
}

/// What the next message is like. A value.
struct ChatLine {
    let paddingBytes: Int
    let fate: ChatRecords.Fate

    init(paddingBytes: Int) { (self.paddingBytes, fate) = (paddingBytes, .broadcast) }

    init(isBusy: Bool, maxBytes: Int, using random: inout SeededGenerator) {
        guard isBusy else {
            (paddingBytes, fate) = (Int.random(in: 0...20, using: &random), .broadcast)
            return
        }
        let most = random.chance(0.8) ? 200 : random.chance(0.8) ? 4000 : maxBytes
        paddingBytes = Int.random(in: 0...most, using: &random)
        fate = random.chance(0.02) ? .refused : random.chance(0.005) ? .disconnects : .broadcast
    }
}
