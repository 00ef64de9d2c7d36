import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem

/// What all connections of one sub reactor share. Bound to its loop; nothing in it is touched
/// from another one.
final class ServerLoop {
    unowned let reactor: Reactor
    let table: MethodTable
    let codec: TinyPBCodec
    let logger: Logger
    let time: any TimeSource
    let limits: ServerLimits
    let drivers: CallDrivers
    var connections: Set<ObjectIdentifier> = []

    init(
        reactor: Reactor, table: MethodTable, configuration: RPCServerConfiguration,
        limits: ServerLimits, logger: Logger, time: any TimeSource
    ) {
        self.reactor = reactor
        self.table = table
        codec = configuration.codec
        self.logger = logger
        self.time = time
        self.limits = limits
        drivers = CallDrivers(reactor: reactor, limits: limits)
    }

    /// Whether each call is one DEBUG line.
    var logsCalls: Bool { logger.isEnabled(.debug) }
}
