public import RocketBase
public import RocketReactor

extension RPCChannel {
    /// A channel to services of this process, with no socket: frames go through memory, and all
    /// else (deadlines, cancellation, limits, interceptors, errors) is as over a network. For tests
    /// of services, and for services that live together.
    ///
    /// - Parameters:
    ///   - dispatcher: what is called; any number of channels may share it.
    ///   - configuration, interceptors, loop: as for channels to addresses. Handlers run on the
    ///     channel's loop.
    /// - Throws: `RPCError` CHANNEL_INIT when the thread can't be started.
    public convenience init(
        inProcess dispatcher: RPCDispatcher, configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], loop: EventLoop? = nil,
        logger: RocketLogger = .disabled
    ) throws(RPCError) {
        try self.init(
            over: InMemoryConnector(dispatcher: dispatcher, codec: configuration.codec),
            configuration: configuration, interceptors: interceptors, loop: loop, logger: logger,
            target: "in-process")
    }

    /// A channel to these services, with nothing around them.
    ///
    /// - Throws: `RPCRegistrationError` for services that can't be registered together, `RPCError`
    ///   CHANNEL_INIT when the thread can't be started.
    public convenience init(
        inProcess services: [any RPCService], configuration: RPCChannelConfiguration = .init()
    ) throws {
        try self.init(
            inProcess: RPCDispatcher(services: services), configuration: configuration)
    }
}
