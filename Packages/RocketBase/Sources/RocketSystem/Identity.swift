import CRocketSystem
import Glibc

/// Who is running: ids as the kernel and `ps` show them.
public enum Identity {
    /// This process (getpid(2)).
    public static var processID: Int32 { getpid() }
    /// The calling thread (gettid(2)).
    public static var threadID: Int32 { rocket_gettid() }
}
