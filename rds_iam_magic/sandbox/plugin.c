/* An authentication plugin by the name of RDS's: it asks the client for mysql_clear_password and hands user and token
   to the sandbox's verifier, over the Unix socket that RDS_IAM_SANDBOX_VERIFIER names. Whatever goes wrong refuses.

   The message is two fields, each a length of four bytes (network order) and its bytes; the answer is '1' or '0'. */

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <mysql/plugin_auth.h>

static int write_all(int fd, const void *data, size_t left)
{
  const char *at = data;
  while (left > 0) {
    ssize_t written = send(fd, at, left, MSG_NOSIGNAL);
    if (written <= 0) return 0;
    at += written;
    left -= (size_t) written;
  }
  return 1;
}

static int write_field(int fd, const void *data, size_t length)
{
  uint32_t size = htonl((uint32_t) length);
  return write_all(fd, &size, sizeof size) && write_all(fd, data, length);
}

static int verifier_accepts(const char *user, size_t user_length, const unsigned char *token, size_t token_length)
{
  const char *path = getenv("RDS_IAM_SANDBOX_VERIFIER");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval patience = {.tv_sec = 10};
  char answer = '0';
  int fd;

  if (!path || strlen(path) >= sizeof address.sun_path) return 0;
  strcpy(address.sun_path, path);
  if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0) return 0;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *) &address, sizeof address) || !write_field(fd, user, user_length) ||
      !write_field(fd, token, token_length) || recv(fd, &answer, 1, 0) != 1)
    answer = '0';
  close(fd);
  return answer == '1';
}

/* Whether the client's next bytes are a TLS record of application data. MariaDB looks at REQUIRE SSL and
   require_secure_transport only after the plugin has run, and tells a plugin nothing of TLS; so the socket is asked. */
static int comes_over_tls(MYSQL_PLUGIN_VIO *vio)
{
  MYSQL_PLUGIN_VIO_INFO about;
  unsigned char record[3] = {0};
  struct pollfd waiting = {.events = POLLIN};

  vio->info(vio, &about);
  if (about.protocol != MYSQL_VIO_TCP) return 0;
  waiting.fd = about.socket;
  return poll(&waiting, 1, 10000) == 1 && recv(about.socket, record, sizeof record, MSG_PEEK) == sizeof record &&
         record[0] == 0x17 && record[1] == 3 && record[2] == 3;
}

static int authenticate(MYSQL_PLUGIN_VIO *vio, MYSQL_SERVER_AUTH_INFO *info)
{
  unsigned char *packet;
  int length, over_tls;

  /* Written first, so that the client's answer is still on the socket when it is looked at. */
  if (vio->write_packet(vio, (const unsigned char *) "", 0)) return CR_ERROR;
  over_tls = comes_over_tls(vio);
  if ((length = vio->read_packet(vio, &packet)) < 0) return CR_ERROR;
  info->password_used = PASSWORD_USED_YES;
  if (!over_tls) length = 0; /* the verifier refuses an empty token, and says so in its log */
  if (length > 0 && packet[length - 1] == 0) length--;
  return verifier_accepts(info->user_name, info->user_name_length, packet, (size_t) length) ? CR_OK : CR_ERROR;
}

static struct st_mysql_auth handler = {
  .interface_version = MYSQL_AUTHENTICATION_INTERFACE_VERSION,
  .client_auth_plugin = "mysql_clear_password",
  .authenticate_user = authenticate,
};

maria_declare_plugin(aws_authentication)
{
  MYSQL_AUTHENTICATION_PLUGIN,
  &handler,
  "AWSAuthenticationPlugin",
  "rds_iam_magic",
  "IAM tokens, as Amazon RDS takes them; for the sandbox",
  PLUGIN_LICENSE_GPL,
  NULL,
  NULL,
  0x0100,
  NULL,
  NULL,
  "1.0",
  MariaDB_PLUGIN_MATURITY_STABLE,
}
maria_declare_plugin_end;
