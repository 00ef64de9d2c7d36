public import RocketBase
import RocketCodec
@_spi(Simulation) import RocketReactor
@_spi(Simulation) public import RocketRPC
import RocketSystem
public import RocketTCP

extension Host {
    /// Starts a server on a port of this host, and runs it until the process ends. Its calls
    /// are checked.
    ///
    /// - Parameters:
    ///   - configure: changes the configuration, which listens on `port` and keeps at most 64 MiB in
    ///     all connections.
    ///   - afterwards: closes what the services use, when the server has drained. Not run after a
    ///     kill.
    /// - Throws: `RPCRegistrationError` if the services can't be registered together.
    @discardableResult
    public func serve(
        _ services: [any RPCService], port: UInt16, interceptors: [any RPCInterceptor] = [],
        isObserved: Bool = true, _ configure: (inout RPCServerConfiguration) -> Void = { _ in },
        afterwards: @escaping @Sendable () async -> Void = {}
    ) throws -> RPCServer {
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [address(port: port)]))
        let budget = ByteBudget(limitBytes: 64 << 20)
        configuration.tcp.budget = budget
        configure(&configuration)
        configuration.makeThread = makeThread
        // On its loops: the world has no other threads.
        configuration.tcp.handshakeThreads = 0
        let rules = process.map {
            ServerRules(configuration, on: self, of: $0, port: port, budget: budget)
        }
        let observers: [any RPCInterceptor] =
            isObserved ? [ServedCalls(host: self, rules: rules)] : []
        let server = try RPCServer(
            configuration: configuration, services: services,
            interceptors: observers + interceptors, logger: world.logger, time: time)
        if isObserved, let rules {
            rules.server = server
            process?.rules.append(rules)
        }
        let process = running
        run(stoppedBy: { server.beginDrain() }) {
            try await server.run()
            if process.isAlive { await afterwards() }
        }
        return server
    }

    /// Creates a channel of this host to ports of others. Its calls are checked. It closes with the
    /// process.
    ///
    /// - Throws: `RPCError`, as `RPCChannel.init`.
    public func channel(
        to addresses: [NetAddress], configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], isObserved: Bool = true
    ) throws(RPCError) -> RPCChannel {
        let interceptors = observers(configuration, isObserved) + interceptors
        return own(
            try RPCChannel(
                to: addresses, configuration: configuration, interceptors: interceptors,
                loop: loop, logger: world.logger),
            configuration, isObserved)
    }

    /// Creates a channel of this host to the servers behind a name. Its calls are checked. It closes
    /// with the process.
    ///
    /// - Parameter resolvers: of the schemes beside `list`. They use the world's time, and no
    ///   sockets of the machine.
    /// - Throws: `RPCError`, as `RPCChannel.init`.
    public func channel(
        to target: String, resolvers: [any RPCResolver],
        configuration: RPCChannelConfiguration = .init(), interceptors: [any RPCInterceptor] = [],
        isObserved: Bool = true
    ) throws(RPCError) -> RPCChannel {
        let interceptors = observers(configuration, isObserved) + interceptors
        return own(
            try RPCChannel(
                to: target, resolvers: resolvers, configuration: configuration,
                interceptors: interceptors, loop: loop, logger: world.logger),
            configuration, isObserved)
    }

    private func observers(
        _ configuration: RPCChannelConfiguration, _ isObserved: Bool
    ) -> [any RPCInterceptor] {
        guard isObserved else { return [] }
        return [
            MadeCalls(
                host: self, process: running.number, mostAttempts: configuration.retry.maxAttempts)
        ]
    }

    /// Lets a channel close with the process.
    private func own(
        _ channel: RPCChannel, _ configuration: RPCChannelConfiguration, _ isObserved: Bool
    ) -> RPCChannel {
        if isObserved {
            process?.rules.append(ChannelRules(channel, configuration, on: self))
        }
        process?.closeChannels.append { channel.close() }
        return channel
    }

    /// Creates a channel to one port of another host.
    public func channel(
        to host: Host, port: UInt16, configuration: RPCChannelConfiguration = .init()
    ) throws(RPCError) -> RPCChannel {
        world.checkOwn(host)
        return try channel(to: [host.address(port: port)], configuration: configuration)
    }
}

/// Numbers the calls that a host makes, and records how they end.
private struct MadeCalls: RPCStreamInterceptor {
    let host: Host
    /// The number of the process that made the channel.
    let process: UInt64
    let mostAttempts: Int

    nonisolated(nonsending) func intercept<Request, Response>(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        let number = try await began(call)
        do {
            let response = try await withTaskCancellationHandler {
                try await next(request, call)
            } onCancel: {
                host.world.history.cancelled(number)
            }
            ended(number, call, RPCErrorCode(rawValue: 0))
            return response
        } catch {
            ended(number, call, (error as? RPCError)?.code ?? .internal)
            throw error
        }
    }

    /// A streaming call ends when its controller says so. Who has cancelled it is not known.
    nonisolated(nonsending) func interceptStream(
        _ call: RPCController, next: nonisolated(nonsending) () async throws -> Void
    ) async throws {
        let number = try await began(call, isStream: true)
        call.onEnd { ended(number, call, $0.code) }
        try await next()
    }

    private func ended(_ number: Int, _ call: RPCController, _ code: RPCErrorCode) {
        host.world.history.ended(
            number, code: code, connectionEnd: host.kernel.end(ofConnectionOf: call))
    }

    /// - Returns: the number of the call.
    private nonisolated(nonsending) func began(
        _ call: RPCController, isStream: Bool = false
    ) async throws -> Int {
        guard host.process?.number == process else {
            throw RPCError(
                .channelInit, "this channel belongs to a process of \(host.name) that has ended")
        }
        let history = host.world.history
        if history.countCall(of: host) {
            host.world.violated(
                .spinning,
                "\(host.name) makes call after call at one time: does it repeat them without a sleep?"
            )
            // So that the world can stop.
            try await host.sleep(for: .milliseconds(1))
        }
        var metadata = call.requestMetadata
        let number = history.began(
            CallHistory.Call(
                host: host, process: process, method: call.method, isStream: isStream,
                isIdempotent: call.isIdempotent || metadata["idempotency-key"] != nil,
                mostAttempts: mostAttempts, beganAt: host.world.now,
                deadline: call.deadline.map {
                    max(host.world.now, host.hostTime.worldTime(of: $0))
                }))
        metadata[CallHistory.key] = "\(number)"
        call.requestMetadata = metadata
        return number
    }
}

/// Records the handlers that a host runs.
private struct ServedCalls: RPCSynchronousInterceptor, RPCStreamInterceptor {
    let host: Host
    let rules: ServerRules?

    /// - Returns: the number of the call; nil: no channel of a host has made it.
    @discardableResult
    private func began(_ call: RPCController) -> Int? {
        guard let number = call.requestMetadata[CallHistory.key].flatMap({ Int($0) }) else {
            return nil
        }
        host.world.history.handlerBegan(
            number, on: host, deadline: call.deadline.map { host.hostTime.worldTime(of: $0) })
        return number
    }

    nonisolated(nonsending) func intercept<Request, Response>(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        try await observed(call) { try await next(request, call) }
    }

    nonisolated(nonsending) func interceptStream(
        _ call: RPCController, next: nonisolated(nonsending) () async throws -> Void
    ) async throws {
        try await observed(call) { try await next() }
    }

    private nonisolated(nonsending) func observed<Result>(
        _ call: RPCController, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        let number = began(call)
        let connection = rules?.handlerBegan(call)
        let deadline = call.deadline.map { host.hostTime.worldTime(of: $0) }
        let history = host.world.history
        let handler = number.map { history.handlers.begin($0, on: host) }
        defer {
            if let handler { history.handlers.end(handler) }
            rules?.handlerEnded(
                connection, deadline: deadline, end: host.kernel.end(ofConnectionOf: call),
                isAwaited: number.map { history.isWaiting($0) } ?? false)
        }
        return try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            if let handler { history.handlers.cancelled(handler) }
        }
    }

    func intercept<Request, Response>(
        _ request: Request, _ call: RPCController, next: RPCSynchronousHandler<Request, Response>
    ) throws -> Response {
        began(call)
        return try next(request, call)
    }
}
