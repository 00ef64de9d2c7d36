import Foundation

/// What the program answers. Each line goes out at once, so that a reader at the other end of a
/// pipe need not wait for a buffer to fill.
public enum StandardOutput {
    /// Writes the line and a line feed. A reader that has gone away is no error.
    public static func write(line: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    }
}

/// What the program complains about.
public enum StandardError {
    /// Writes the line and a line feed. A reader that has gone away is no error.
    public static func write(line: String) {
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
