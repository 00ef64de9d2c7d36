import Foundation

/// What the program answers. Each line goes out at once, so that a reader at the other end of a
/// pipe need not wait for a buffer to fill.
public enum StandardOutput {
    /// Writes the line and a line feed. A reader that has gone away is no error.
    public static func write(line: String) {
        write(text: line + "\n")
    }

    /// Writes the text as it is, with no line feed behind it.
    public static func write(text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}

/// What the program complains about.
public enum StandardError {
    /// Writes the line and a line feed. A reader that has gone away is no error.
    public static func write(line: String) {
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
