//! `pulpcov hook` with real services: Celery and Redis, gunicorn, uvicorn, uWSGI, Apache with mod_wsgi.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::hooked::{Hooked, Running, line_of_step, lines_with, shop};
use crate::support::{REFERENCE, Rows, neutral, venv};

/// The interval is so long that every save has another reason.
const NEVER: &[&str] = &["--flush-interval", "60m"];
const OFTEN: &[&str] = &["--flush-interval", "300ms"];
const TIMEOUT: Duration = Duration::from_secs(60);
const ADVICE: &str = "install redis-server, uwsgi-core, uwsgi-plugin-python3, apache2-bin, libapache2-mod-wsgi-py3 and python3-venv of Debian";

fn services() -> Hooked {
    let packages = ["celery[redis]==5.7.0", "gunicorn==27.0.1", "gevent", "eventlet", "uvicorn"]
        .map(str::to_owned);
    let packages = [&packages[..], &[format!("coverage=={REFERENCE}")]].concat();
    Hooked::of(&venv("services", &packages))
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[track_caller]
fn wait_for_port(port: u16) {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < TIMEOUT, "nobody listens on port {port}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Returns the body of an answer. Returns `None` if the connection ends before there is one.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains(" 200 ").then(|| body.to_owned())
}

/// Sends requests at the same time. Returns which processes and threads answered.
#[track_caller]
fn get_all(port: u16, paths: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let requests: Vec<_> =
        paths.into_iter().map(|path| thread::spawn(move || (get(port, &path), path))).collect();
    let answers = requests.into_iter().map(|request| request.join().unwrap());
    answers.map(|(answer, path)| answer.unwrap_or_else(|| panic!("no answer to {path}"))).collect()
}

fn start(command: &mut Command) -> Running {
    let shown = format!("{command:?}");
    command.stdin(Stdio::null()).process_group(0);
    Running(command.spawn().unwrap_or_else(|err| panic!("{shown}: {err}; {ADVICE}")))
}

// Celery

struct Celery {
    hooked: Hooked,
    broker: String,
    worker: Running,
    _redis: Running,
}

impl Celery {
    fn start(settings: &[&str], options: &[&str]) -> Self {
        let hooked = services().installed(settings);
        let port = free_port();
        let mut redis = Command::new("redis-server");
        redis.args(["--save", "", "--port", &port.to_string()]).current_dir(hooked.dir.path(""));
        let redis = start(redis.stdout(Stdio::null()));
        wait_for_port(port);
        let broker = format!("redis://127.0.0.1:{port}/0");
        let mut worker = hooked.command();
        worker.args([
            "-m",
            "celery",
            "-A",
            "shop.tasks",
            "worker",
            "--loglevel=error",
            "--concurrency=2",
        ]);
        worker.args(options).env("BROKER", &broker).stdout(Stdio::null()).stderr(Stdio::null());
        let worker = start(&mut worker);
        Self { hooked, broker, worker, _redis: redis }
    }

    /// Runs these steps as tasks, from a process that is not measured. Returns which processes ran them.
    fn run(&self, steps: std::ops::Range<i32>) -> BTreeSet<i32> {
        let code = format!(
            "from shop.tasks import run_step\n\
             results = [run_step.delay(number) for number in range({}, {})]\n\
             print(*[result.get(timeout=60)[1] for result in results])",
            steps.start, steps.end
        );
        let mut client = self.hooked.command();
        let output = client
            .args(["-c", &code])
            .env("BROKER", &self.broker)
            .env("PULPCOV_HOOK", "off")
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout)
            .unwrap()
            .split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }

    #[track_caller]
    fn assert_tasks_are_covered(&self, steps: std::ops::Range<i32>) {
        let ran = self.hooked.lines("steps");
        let missing: Vec<_> = steps.filter(|step| !ran.contains(&line_of_step(*step))).collect();
        assert!(missing.is_empty(), "steps {missing:?} of {ran:?}");
        let bodies = ["= helper(number)", "!= number", "return [result", "getattr(steps"];
        let tasks = self.hooked.lines("tasks");
        for line in bodies.iter().flat_map(|text| lines_with("tasks", text)) {
            assert!(tasks.contains(&line), "line {line} of {tasks:?}");
        }
    }
}

#[test]
fn celery_is_measured_while_it_runs_and_survives_sigkill() {
    let celery = Celery::start(OFTEN, &[]);
    let workers = celery.run(0..20);
    assert!(!workers.contains(&celery.worker.pid().as_raw()), "children run the tasks");
    celery.hooked.wait_for_steps(0..20);
    assert!(celery.hooked.hook("status", &[]).stdout.contains("celery"));
    celery.run(20..30);
    celery.hooked.wait_for_steps(20..30);
    celery.worker.signal_all(Signal::SIGKILL);
    celery.assert_tasks_are_covered(0..30);
    assert!(!celery.hooked.lines("steps").contains(&line_of_step(30)));
}

/// With greenlets, `celery` itself replaces locks, threads and sleeps before it imports the tasks.
#[track_caller]
fn celery_with_greenlets(pool: &str) {
    let mut celery = Celery::start(OFTEN, &["--pool", pool]);
    celery.run(0..8);
    celery.hooked.wait_for_steps(0..8);
    celery.run(8..12);
    celery.worker.signal(Signal::SIGTERM);
    celery.worker.0.wait().unwrap();
    celery.assert_tasks_are_covered(0..12);
}

#[test]
fn celery_with_gevent_is_measured() {
    celery_with_greenlets("gevent");
}

#[test]
fn celery_with_eventlet_is_measured() {
    celery_with_greenlets("eventlet");
}

#[test]
fn celery_saves_when_it_is_stopped_warmly() {
    let mut celery = Celery::start(NEVER, &[]);
    celery.run(0..10);
    celery.worker.signal(Signal::SIGTERM);
    celery.worker.0.wait().unwrap();
    celery.assert_tasks_are_covered(0..10);
}

#[test]
fn celery_saves_when_its_children_get_sigterm() {
    let celery = Celery::start(NEVER, &[]);
    let children = celery.run(0..10);
    assert!(celery.hooked.files().is_empty());
    for child in children {
        kill(Pid::from_raw(child), Signal::SIGTERM).unwrap();
    }
    celery.hooked.wait_for_steps(0..10);
    celery.assert_tasks_are_covered(0..10);
}

#[test]
fn celery_saves_when_a_child_has_done_its_tasks() {
    let celery = Celery::start(NEVER, &["--max-tasks-per-child=1"]);
    let children = celery.run(0..8);
    assert_eq!(children.len(), 8);
    celery.hooked.wait_for_steps(0..8);
    celery.assert_tasks_are_covered(0..8);
    assert!(celery.hooked.files().len() >= 8, "a file each");
}

// gunicorn

fn gunicorn(hooked: &Hooked, port: u16, options: &[&str]) -> Running {
    let mut command = hooked.command();
    command.args([
        "-m",
        "gunicorn",
        "--workers=4",
        "--bind",
        &format!("127.0.0.1:{port}"),
        "--log-level=critical",
    ]);
    let server = start(command.args(options).arg("shop.web:application"));
    wait_for_port(port);
    server
}

#[test]
fn gunicorn_is_measured_while_it_runs() {
    for options in [&[][..], &["--preload"], &["--worker-class=gthread", "--threads=3"]] {
        let hooked = services().installed(&[OFTEN, &["--branch"]].concat());
        let port = free_port();
        let _server = gunicorn(&hooked, port, options);
        let answered = get_all(port, (0..24).map(|step| format!("/{step}?0.3")));
        assert!(answered.len() > 2, "{answered:?}");
        hooked.wait_for("steps", |hooked| {
            let arcs = hooked.rows().arcs;
            let ran = |step| arcs.iter().any(|arc| arc.0.ends_with("steps.py") && arc.3 == step);
            (0..24).all(|step| ran(line_of_step(step)))
        });
    }
}

#[test]
fn gunicorn_with_gevent_is_measured() {
    let hooked = services().installed(&[OFTEN, &["--branch"]].concat());
    let port = free_port();
    let mut server = gunicorn(&hooked, port, &["--worker-class=gevent"]);
    // Each request waits, so the greenlets of a process take turns.
    let answered = get_all(port, (0..24).map(|step| format!("/{step}?0.3")));
    assert!(!answered.is_empty());
    hooked.wait_for("steps", |hooked| {
        let arcs = hooked.rows().arcs;
        let ran = |step| arcs.iter().any(|arc| arc.0.ends_with("steps.py") && arc.3 == step);
        (0..24).all(|step| ran(line_of_step(step)))
    });
    server.signal(Signal::SIGTERM);
    assert!(server.0.wait().unwrap().success());
    // No greenlet goes on in another one's function: the arcs are those of a single request in a single
    // process.
    let of_web = |rows: &Rows| {
        let arcs = rows.arcs.iter().filter(|arc| arc.0.ends_with("shop/web.py"));
        arcs.map(|arc| (arc.2, arc.3)).collect::<BTreeSet<_>>()
    };
    let request = "import shop.web as web; list(web.application({'PATH_INFO': '/1', 'QUERY_STRING': '0'}, print))";
    assert_eq!(of_web(&hooked.rows()), of_web(&hooked.single_of(&["--branch"], request)));
}

#[test]
fn gunicorn_workers_that_time_out_are_measured() {
    let hooked = services().installed(OFTEN);
    let port = free_port();
    let _server = gunicorn(&hooked, port, &["--timeout=3", "--graceful-timeout=1"]);
    let hanging = thread::spawn(move || get(port, "/50?600"));
    hooked.wait_for_steps([50]);
    // The worker was killed.
    assert_eq!(hanging.join().unwrap(), None);
    get_all(port, (0..8).map(|step| format!("/{step}")));
    hooked.wait_for_steps(0..8);
}

#[test]
fn gunicorn_is_measured_through_an_upgrade() {
    let hooked = services().installed(OFTEN);
    let port = free_port();
    let mut old = gunicorn(&hooked, port, &["--pid", hooked.dir.path("pid").to_str().unwrap()]);
    let before = get_all(port, (0..8).map(|step| format!("/{step}")));
    old.signal(Signal::SIGUSR2);
    // The new master writes this file. The old one's file is renamed.
    hooked.wait_for("new master", |hooked| hooked.dir.path("pid.2").exists());
    old.signal(Signal::SIGTERM);
    // The old master waits for its workers, even for those that have not answered any request yet.
    hooked.wait_for("end of the old master", |_| old.0.try_wait().unwrap().is_some());
    let after = get_all(port, (200..208).map(|step| format!("/{step}")));
    assert!(after.is_disjoint(&before), "{after:?} {before:?}");
    hooked.wait_for_steps((0..8).chain(200..208));
}

// uWSGI

#[test]
fn uwsgi_is_measured_in_all_its_processes_and_threads() {
    // A single process; several processes, forked after the application is loaded, without and with a call of
    // Python's fork hooks; several processes, forked before it is loaded.
    let several = ["--master", "--processes=2"];
    assert_uwsgi_is_measured(&[], 1);
    assert_uwsgi_is_measured(&several, 2);
    assert_uwsgi_is_measured(&[&several[..], &["--py-call-osafterfork"]].concat(), 2);
    assert_uwsgi_is_measured(&[&several[..], &["--lazy-apps"]].concat(), 2);
}

fn assert_uwsgi_is_measured(options: &[&str], processes: usize) {
    let hooked = Hooked::of_debian().installed(OFTEN);
    let port = free_port();
    let _server = uwsgi(&hooked, port, options);
    let (mut answered, mut step) = (BTreeSet::<String>::new(), 0);
    let begin = Instant::now();
    // All processes have to answer, and more than one thread in some of them.
    while answered.len() <= processes
        || answered.iter().map(|answer| pid_of(answer)).collect::<BTreeSet<_>>().len() < processes
    {
        assert!(begin.elapsed() < TIMEOUT, "{options:?}: only {answered:?} answer");
        answered.append(&mut get_all(port, (step..step + 12).map(|step| format!("/{step}?0.2"))));
        step = (step + 12) % 300;
    }
    hooked.wait_for_steps(0..12);
    let of_loading = lines_with("web", "def application")[0];
    hooked.wait_for("the loading", |hooked| hooked.lines("web").contains(&of_loading));
}

#[test]
fn uwsgi_saves_when_it_is_stopped() {
    for load in [&[][..], &["--lazy-apps"]] {
        let hooked = Hooked::of_debian().installed(NEVER);
        let port = free_port();
        let state = free_port();
        let state_option = format!("--stats=127.0.0.1:{state}");
        let options = [&["--master", "--processes=2", &state_option], load].concat();
        let mut server = uwsgi(&hooked, port, &options);
        get_all(port, (0..12).map(|step| format!("/{step}?0.2")));
        // If a worker does not know yet that its request is done, it does not announce its end.
        hooked.wait_for("the end of all requests", |_| is_idle(state));
        server.signal(Signal::SIGINT);
        server.0.wait().unwrap();
        hooked.wait_for_steps(0..12);
    }
}

// uvicorn

fn uvicorn(hooked: &Hooked, port: u16, options: &[&str]) -> Running {
    let mut command = hooked.command();
    command.args(["-m", "uvicorn", "--interface=wsgi", "--log-level=critical"]);
    command.args(["--port", &port.to_string()]).args(options).arg("shop.web:application");
    let server = start(&mut command);
    wait_for_port(port);
    server
}

/// Its processes set handlers, import the application, remove the handlers, and end by the signal.
#[test]
fn uvicorn_saves_when_it_is_stopped() {
    for options in [&[][..], &["--workers=2"], &["--reload"]] {
        let hooked = services().installed(NEVER);
        let port = free_port();
        let mut server = uvicorn(&hooked, port, options);
        get_all(port, (0..8).map(|step| format!("/{step}")));
        server.signal(Signal::SIGTERM);
        server.0.wait().unwrap();
        hooked.wait_for_steps(0..8);
    }
}

fn uwsgi(hooked: &Hooked, port: u16, options: &[&str]) -> Running {
    let mut command = neutral(Command::new("uwsgi"));
    command.args(["--plugin", "python3", "--http-socket", &format!("127.0.0.1:{port}")]);
    command.args(["--need-app", "--threads=3", "--module=shop.web"]).args(options);
    command.arg("--virtualenv").arg(hooked.dir.path("venv"));
    let server = start(command.current_dir(shop()).stderr(Stdio::null()));
    wait_for_port(port);
    server
}

/// Returns whether no thread of uWSGI is at work, by its statistics.
fn is_idle(port: u16) -> bool {
    let Ok(connection) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let Ok(state) = serde_json::from_reader::<_, Value>(connection) else { return false };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let workers = list(&state["workers"]);
    let mut threads = workers.iter().flat_map(|worker| list(&worker["cores"]));
    !workers.is_empty() && threads.all(|thread| thread["in_request"] == 0)
}

/// Returns the process that gave an answer.
fn pid_of(answer: &str) -> &str {
    answer.split(' ').next().unwrap()
}

// Apache

/// Writes the scripts that import the applications.
fn scripts(hooked: &Hooked) {
    for module in ["web", "web_two"] {
        let folder = hooked.dir.path("").display().to_string();
        let script = format!(
            "import sys\nsys.path.insert(0, {folder:?})\nfrom shop.{module} import application\n"
        );
        hooked.dir.write(format!("{module}.wsgi"), script);
    }
}

fn apache_settings(hooked: &Hooked, port: u16) -> String {
    let folder = hooked.dir.path("").display().to_string();
    // Apache gives up the rights of root. Other users have none to give up.
    let user = if nix::unistd::geteuid().is_root() { "User nobody\nGroup nogroup" } else { "" };
    format!(
        "ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
{user}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule wsgi_module /usr/lib/apache2/modules/mod_wsgi.so
StartServers 1
ServerLimit 2
WSGIPythonHome {folder}/venv
WSGISocketPrefix {folder}/wsgi
WSGIDaemonProcess workers processes=2 threads=3
<Directory {folder}>
Require all granted
</Directory>
WSGIScriptAlias /daemon/one {folder}/web.wsgi process-group=workers application-group=one
WSGIScriptAlias /daemon/two {folder}/web_two.wsgi process-group=workers application-group=two
WSGIScriptAlias /embedded/one {folder}/web.wsgi application-group=one
WSGIScriptAlias /embedded/two {folder}/web_two.wsgi application-group=two
WSGIScriptAlias /main {folder}/web.wsgi process-group=workers application-group=%{{GLOBAL}}
"
    )
}

#[test]
fn apache_is_measured_in_both_modes_with_two_applications_in_a_process() {
    let hooked = Hooked::of_debian().published();
    scripts(&hooked);
    let hooked = hooked.installed(OFTEN);
    let port = free_port();
    let settings = hooked.dir.write("httpd.conf", apache_settings(&hooked, port));
    let mut command = neutral(Command::new("apache2"));
    let mut server = start(command.arg("-DFOREGROUND").arg("-f").arg(settings));
    wait_for_port(port);
    let mut answered = BTreeSet::new();
    // The second application adds 100 to the step: /20 is step 120.
    for (place, first, last) in [
        ("daemon/one", 10, 30),
        ("daemon/two", 30, 50),
        ("embedded/one", 50, 70),
        ("embedded/two", 70, 90),
        ("main", 300, 320),
    ] {
        answered
            .append(&mut get_all(port, (first..last).map(|step| format!("/{place}/{step}?0.1"))));
    }
    assert!(answered.len() > 8, "several processes and threads: {answered:?}");
    hooked.wait_for_steps((10..30).chain(130..150).chain(50..70).chain(170..190).chain(300..320));
    // Steps that only the other application could have run did not run.
    let ran = hooked.lines("steps");
    assert!([30, 110].iter().all(|step| !ran.contains(&line_of_step(*step))), "{ran:?}");
    server.signal(Signal::SIGTERM);
    assert!(server.0.wait().unwrap().success());
    let log = fs::read_to_string(hooked.dir.path("error.log")).unwrap();
    for trouble in ["Fatal", "Segmentation", "Traceback", "pulpcov hook", "ignored"] {
        assert!(!log.contains(trouble), "{log}");
    }
}
