// Whoever imports RocketRPC sees what its own API speaks of: configuration, logs, addresses, loops,
// metadata and time. One import is enough for a service.
@_exported public import RocketBase
@_exported public import RocketCodec
@_exported public import RocketReactor
@_exported public import RocketSystem
@_exported public import RocketTCP
