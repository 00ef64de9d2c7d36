/// The version that every program of this repository shows with --version.
public enum RocketVersion {
    /// By the rules of semantic versioning.
    public static let current = "0.1.0"
}
