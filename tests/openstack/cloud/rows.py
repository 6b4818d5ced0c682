"""Rows of the services' databases, for what no API shows. Used by the scripts
beside it, as root: that is who the database knows by its socket."""
import pathlib

import pymysql

# The services' tables have no other bytes than truths.
CONVERSIONS = dict(pymysql.converters.conversions)
CONVERSIONS[pymysql.constants.FIELD_TYPE.TINY] = lambda text: text != '0'


class Rows:
    def __init__(self, state, database):
        self.connection = pymysql.connect(
            unix_socket=str(pathlib.Path(state, 'mysql.sock')), user='root',
            database=database, charset='utf8', autocommit=True,
            conv=CONVERSIONS, cursorclass=pymysql.cursors.DictCursor)

    def select(self, query, *values):
        """Each row as column -> value."""
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def change(self, *statements):
        """All of them, each a query and its values, or none."""
        self.connection.begin()
        try:
            with self.connection.cursor() as cursor:
                for query, *values in statements:
                    cursor.execute(query, values)
            self.connection.commit()
        except pymysql.Error:
            self.connection.rollback()
            raise
