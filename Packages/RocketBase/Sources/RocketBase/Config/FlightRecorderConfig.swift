/// The flight recorder of a program: the element `server/flight_recorder`.
public struct FlightRecorderConfig: ConfigSection, Hashable {
    /// The file. Its folder must exist. On tmpfs, such as /run, the loops never wait for a
    /// disk. Required.
    ///
    /// `server/flight_recorder/path`: A path, absolute or relative to this file's folder.
    /// Default none. Needs a restart.
    public var path = ""
    /// The size of the file.
    ///
    /// `server/flight_recorder/size_bytes`: A whole number of bytes, 1048576 to 268435456.
    /// Default 8388608 bytes. Needs a restart.
    public var sizeBytes = FlightRecorder.defaultBytes

    /// All fields have their defaults; the path must be set.
    public init() {}
}

extension FlightRecorderConfig {
    /// The schema of the `flight_recorder` element below `server`.
    public static let schema = ConfigSchema<Self>(
        "flight_recorder",
        "A file with the last calls and log lines, which survives every end of the process but a loss "
            + "of power: rocket crash FILE shows it. The files of the last three processes that have "
            + "crashed are kept as PATH.1 to PATH.3. See docs/guides/flight-recorder.md.",
        [
            .init(
                "path", \.path, .path, .restart,
                "The file. Its folder must exist. On tmpfs, such as /run, the loops never "
                    + "wait for a disk. Required."),
            .init(
                "size_bytes", \.sizeBytes, .bytes(1_048_576...268_435_456), .restart,
                "The size of the file."),
        ]
    ) { recorder in recorder.path.isEmpty ? "path is missing" : nil }
}
