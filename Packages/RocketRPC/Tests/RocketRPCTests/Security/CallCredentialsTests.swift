import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite("Credentials of a channel's calls")
struct CallCredentialsTests {
    /// A channel to services of this process that verify tokens, on a loop that the test drives.
    final class Scene {
        let driven: HandDrivenLoop
        let channel: RPCChannel
        let authenticator = TestAuthenticator()
        /// The tokens that handlers saw, and the errors of failed calls, in the order of their ends.
        let outcomes = Outcomes()

        final class Outcomes: Sendable {
            private let texts = Locked<[String]>([])

            var all: [String] { texts.withLock { $0 } }
            func add(_ text: String) { texts.withLock { $0.append(text) } }
        }

        static let method = RPCMethod<Text, Text>(service: "test.Who", name: "sync")

        init(_ credentials: RPCCallCredentials, policy: AuthorizationPolicy? = nil) throws {
            driven = try HandDrivenLoop()
            var configuration = RPCChannelConfiguration.patient
            configuration.credentials = credentials
            channel = try RPCChannel(
                inProcess: RPCDispatcher(
                    services: [WhoService()], authenticator: authenticator, authorization: policy,
                    time: driven.clock),
                configuration: configuration, loop: driven.loop)
        }

        @discardableResult
        func call(
            metadata: RPCMetadata = [:], timeout: Duration = .seconds(600),
            controller: RPCController? = nil
        ) -> Task<Void, Never> {
            let call = controller ?? RPCController(timeout: timeout, metadata: metadata)
            let task = Self.start(call, on: channel, outcomes)
            driven.tickUntilIdle()
            return task
        }

        private static func start(
            _ call: RPCController, on channel: RPCChannel, _ outcomes: Outcomes
        ) -> Task<Void, Never> {
            let body: @Sendable () async -> Void = {
                outcomes.add(await outcome(of: call, on: channel))
            }
            return Task(executorPreference: channel.loop) { await body() }
        }

        private static func outcome(of call: RPCController, on channel: RPCChannel) async -> String
        {
            do throws(RPCError) {
                let seen = try await channel.call(method, Text(), call)
                return String(seen.value.dropFirst("unix: none ".count))
            } catch {
                return "\(error.code.name): \(error.message)"
            }
        }

        var ended: [String] { outcomes.all }

        func end() {
            channel.close()
            driven.tickUntilIdle()
        }
    }

    /// Credentials whose fetches the test ends.
    final class Fetches: Sendable {
        let begun = Locked(0)
        let gate = Gate()
        let token: String
        let error: (any Error)?

        init(_ token: String = "good-a", error: (any Error)? = nil) {
            self.token = token
            self.error = error
        }

        var credentials: RPCCallCredentials {
            RPCCallCredentials { [self] in
                begun.withLock { $0 += 1 }
                await gate.wait()
                if let error { throw error }
                return (token, expires: nil)
            }
        }

        var count: Int { begun.withLock { $0 } }
    }

    @Test("The calls that need a token wait for one fetch, and later ones do not wait")
    func oneFetch() throws {
        let fetches = Fetches()
        let scene = try Scene(fetches.credentials)
        for _ in 0..<3 { scene.call() }
        #expect(fetches.count == 1 && scene.ended == [])
        fetches.gate.open()
        scene.driven.tickUntilIdle()
        #expect(scene.ended == Array(repeating: "token:a 1", count: 3))
        scene.call()
        #expect(scene.ended.count == 4 && fetches.count == 1)
        // The same bytes on the same connection are verified once.
        #expect(scene.authenticator.verified == ["good-a"])
        scene.end()
    }

    @Test("A failed fetch fails the calls that wait: with its RPCError, or with UNAUTHENTICATED")
    func failedFetch() throws {
        for (error, expected) in [
            (RPCError(.unavailable, "no issuer") as any Error, "UNAVAILABLE: no issuer"),
            (TestService.Plain(), "UNAUTHENTICATED: no token could be fetched"),
        ] {
            let fetches = Fetches(error: error)
            fetches.gate.open()
            let scene = try Scene(fetches.credentials)
            scene.call()
            scene.call()
            #expect(scene.ended == [expected, expected] && fetches.count == 1)
            // It is not cached for long.
            scene.driven.tick(after: .seconds(1))
            scene.call()
            #expect(scene.ended.count == 3 && fetches.count == 2)
            scene.end()
        }
    }

    @Test("A token that could not be sent is an error that does not show it")
    func invalidToken() throws {
        for token in ["", "se cret", "secret\n", "secrét", String(repeating: "s", count: 8001)] {
            let scene = try Scene(RPCCallCredentials(token: token))
            scene.call()
            #expect(
                scene.ended == [
                    "UNAUTHENTICATED: the token is not of 1 to 8000 visible ASCII characters"
                ])
            scene.end()
        }
    }

    @Test("A call waits for a token up to its deadline, and the fetch goes on for others")
    func deadline() throws {
        let fetches = Fetches()
        let scene = try Scene(fetches.credentials)
        scene.call(timeout: .seconds(5))
        scene.call()
        scene.driven.tick(after: .seconds(5))
        scene.driven.tickUntilIdle()
        #expect(
            scene.ended == [
                "ERROR_RPC_CALL_TIMEOUT: the deadline passed before there was a token"
            ])
        fetches.gate.open()
        scene.driven.tickUntilIdle()
        #expect(scene.ended.last == "token:a 1")
        scene.end()
    }

    @Test("A call that is cancelled waits no longer, by its task or by its controller")
    func cancellation() throws {
        let fetches = Fetches()
        let scene = try Scene(fetches.credentials)
        let controller = RPCController(timeout: .seconds(600))
        scene.call(controller: controller)
        let task = scene.call()
        scene.call()
        controller.cancel()
        task.cancel()
        scene.driven.tickUntilIdle()
        let cancelled = "CANCELLED: the caller cancelled the call"
        #expect(scene.ended == [cancelled, cancelled])
        #expect(controller.error?.code == .cancelled && controller.isFinished)
        fetches.gate.open()
        scene.driven.tickUntilIdle()
        #expect(scene.ended.last == "token:a 1")
        scene.end()
    }

    @Test("Closing the channel ends the calls that wait")
    func close() throws {
        let fetches = Fetches()
        let scene = try Scene(fetches.credentials)
        scene.call()
        scene.end()
        scene.call()
        let closed = "ERROR_RPC_CHANNEL_INIT: the channel is closed"
        #expect(scene.ended == [closed, closed])
        fetches.gate.open()
        scene.driven.tickUntilIdle()
    }

    @Test("A fetch that takes 30 s is given up, and its result is ignored")
    func slowFetch() throws {
        let fetches = Fetches()
        let scene = try Scene(fetches.credentials)
        scene.call()
        scene.driven.tick(after: RPCCallCredentials.fetchTime)
        scene.driven.tickUntilIdle()
        #expect(scene.ended == ["UNAUTHENTICATED: no token was fetched within 30 s"])
        scene.driven.tick(after: .seconds(1))
        scene.call()
        #expect(fetches.count == 2)
        fetches.gate.open()
        scene.driven.tickUntilIdle()
        #expect(scene.ended.last == "token:a 1")
        scene.end()
    }

    @Test("A token that the server refuses is fetched again for a later call")
    func refused() throws {
        let fetches = Fetches("bad")
        fetches.gate.open()
        let scene = try Scene(fetches.credentials)
        scene.call()
        scene.call()
        #expect(scene.ended.last == "UNAUTHENTICATED: the token is not valid")
        #expect(fetches.count == 1)
        scene.driven.tick(after: .seconds(1))
        scene.call()
        scene.call()
        #expect(fetches.count == 2)
        scene.end()
    }

    @Test("A call with an authorization of its own keeps it")
    func ownToken() throws {
        let scene = try Scene(RPCCallCredentials(token: "good-a"))
        scene.call(metadata: ["authorization": "Bearer good-own"])
        #expect(scene.ended == ["token:own 1"])
        scene.end()
    }

    @Test("A token is not sent in plaintext to another machine, unless the user says so")
    func plaintext() throws {
        func open(_ addresses: [String], allowing: Bool = false) throws {
            var configuration = RPCChannelConfiguration()
            configuration.credentials = RPCCallCredentials(
                token: "secret", allowsPlaintext: allowing)
            try RPCChannel(
                to: addresses.map { try NetAddress(parsing: $0) }, configuration: configuration
            ).close()
        }
        for address in [
            "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:/run/a",
            "unix:@a",
        ] {
            #expect(throws: Never.self) { try open([address]) }
        }
        for address in ["192.0.2.1:1", "[2001:db8::1]:1", "[::2]:1", "0.0.0.0:1"] {
            let error = #expect(throws: RPCError.self) { try open(["127.0.0.1:1", address]) }
            #expect(error?.code == .channelInit)
            #expect(error?.message.contains("in plaintext to \(address); use TLS") == true)
            #expect(error?.message.contains("secret") == false)
            #expect(throws: Never.self) { try open([address], allowing: true) }
        }
        let address = try NetAddress(parsing: "192.0.2.1:1")
        #expect(throws: Never.self) {
            try RPCCallCredentials(token: "a").checkUse(
                to: .fixed([RPCEndpoint([address])]), isEncrypted: true)
        }
    }

    @Test("A long token is sent once the server has said that it takes it")
    func longToken() async throws {
        let token = "good-" + String(repeating: "a", count: 2000)
        try await withServer([WhoService()]) {
            $0.authenticator = TestAuthenticator()
            $0.authorization = try? AuthorizationPolicy(
                "allow rocket.Health.check to *", "allow test.Who.* to authenticated")
        } _: { address in
            var configuration = RPCChannelConfiguration.patient
            configuration.credentials = RPCCallCredentials(token: token)
            let channel = try RPCChannel(to: address, configuration: configuration)
            defer { channel.close() }
            for _ in 0..<2 {
                let seen = try await channel.call(Scene.method, Text()).value
                #expect(seen.contains("token:aaa"))
            }
        }
    }

    @Test("A policy without a rule for health checks fails calls with long tokens")
    func longTokenWithoutHealthCheck() async throws {
        let token = "good-" + String(repeating: "a", count: 2000)
        try await withServer([WhoService()]) {
            $0.authenticator = TestAuthenticator()
            $0.authorization = try? AuthorizationPolicy("allow test.Who.* to authenticated")
        } _: { address in
            var configuration = RPCChannelConfiguration.patient
            configuration.credentials = RPCCallCredentials(token: token)
            let channel = try RPCChannel(to: address, configuration: configuration)
            defer { channel.close() }
            let error = await #expect(throws: RPCError.self) {
                _ = try await channel.call(Scene.method, Text())
            }
            #expect(error?.code == .unauthenticated)
        }
    }
}
