import Glibc

/// The process's environment variables.
public enum ProcessEnvironment {
    /// A copy of all of them, names and values. Read it at start, before threads call setenv(3).
    public static var current: [String: String] {
        var variables: [String: String] = [:]
        // SAFETY: environ is a NULL-terminated array of NUL-terminated "NAME=value" strings.
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            unsafe entry += 1
        }
        return variables
    }
}
