/// The name that a server announces itself under.
public struct RegistrationConfig: ConfigSection, Hashable {
    /// The name: etcd:///NAME, etcd://ADDRESS,ADDRESS/NAME with the addresses of etcd, or
    /// file:PATH. Required.
    ///
    /// `server/registration/target`: A text of 1 to 2000 characters. Default none. Needs a
    /// restart.
    public var target = ""
    /// The address that clients reach the server at. Port 0: the port that it listens on.
    /// Empty: the first address that it listens on, which must not be 0.0.0.0 or [::].
    ///
    /// `server/registration/address`: IP:PORT, [IPv6]:PORT, unix:PATH or unix:@NAME (up to 107
    /// bytes); or empty. Default none. Needs a restart.
    public var address: String?
    /// The zone that the server runs in; clients in the same zone prefer it.
    ///
    /// `server/registration/zone`: A text of 1 to 255 characters; or empty. Default none. Needs
    /// a restart.
    public var zone: String?
    /// The share of calls that it gets, in relation to the weights of the others.
    ///
    /// `server/registration/weight`: A whole number, 1 to 65535. Default 1. Needs a restart.
    public var weight = 1
    /// How long the server serves on after it was withdrawn, before it drains: its clients need
    /// so long to find out.
    ///
    /// `server/registration/propagation_ms`: A whole number of ms, 0 to 600000. Default 1000
    /// ms. Needs a restart.
    public var propagation = Duration.milliseconds(1000)

    /// All fields have their defaults; the target must be set.
    public init() {}
}

extension RegistrationConfig {
    /// The schema of the `registration` element below `server`.
    public static let schema = ConfigSchema<Self>(
        "registration",
        "The name that the server announces itself under, where clients find it (docs/guides/names.md). "
            + "It is announced when it listens, and withdrawn before it drains. It takes the product "
            + "RocketNames, and RocketEtcd for etcd.",
        [
            .init(
                "target", \.target, .text(maximum: 2000), .restart,
                "The name: etcd:///NAME, etcd://ADDRESS,ADDRESS/NAME with the addresses of etcd, or "
                    + "file:PATH. Required."),
            .init(
                "address", \.address, .optional(.address), .restart,
                "The address that clients reach the server at. Port 0: the port that it listens on. "
                    + "Empty: the first address that it listens on, which must not be 0.0.0.0 or [::]."
            ),
            .init(
                "zone", \.zone, .optional(.text()), .restart,
                "The zone that the server runs in; clients in the same zone prefer it."),
            .init(
                "weight", \.weight, .integer(1...65_535), .restart,
                "The share of calls that it gets, in relation to the weights of the others."),
            .init(
                "propagation_ms", \.propagation, .milliseconds(0...600_000), .restart,
                "How long the server serves on after it was withdrawn, before it drains: its clients "
                    + "need so long to find out."),
        ]
    ) { registration in registration.target.isEmpty ? "target is missing" : nil }
}
